const closing = 0x8;

/**
 * What a member makes of a WebSocket's bytes: each masked frame comes back as it would be sent by a server. Frames are of less than
 * 64 KiB, as all here are.
 *
 * @param {(frame: Buffer) => void} onFrame
 * @param {() => void} onClose
 * @returns {(chunk: Buffer) => void}
 */
export function unmasked(onFrame, onClose) {
  let rest = Buffer.alloc(0);
  return (chunk) => {
    let bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    for (;;) {
      const size = sizeOf(bytes);
      if (size === undefined || bytes.length < size.whole) break;
      if ((bytes[0] & 0xf) === closing) return onClose();
      onFrame(unmask(bytes, size));
      bytes = bytes.subarray(size.whole);
    }
    // A copy, since what it is cut from is far larger.
    rest = Buffer.from(bytes);
  };
}

function sizeOf(bytes) {
  if (bytes.length < 4) return undefined;
  const short = bytes[1] & 0x7f;
  const [length, head] = short === 126 ? [bytes.readUInt16BE(2), 4] : [short, 2];
  return { head, length, whole: head + 4 + length };
}

function unmask(bytes, { head, length }) {
  const frame = Buffer.allocUnsafe(head + length);
  frame[0] = bytes[0];
  frame[1] = bytes[1] & 0x7f;
  for (let n = 2; n < head; n++) frame[n] = bytes[n];
  for (let n = 0; n < length; n++) frame[head + n] = bytes[head + 4 + n] ^ bytes[head + (n & 3)];
  return frame;
}
