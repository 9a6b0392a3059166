/** What the tests of TLS share: ClientHellos by hand, cut into records and pieces. No Node. */
import { type ClientHelloProgress, ClientHelloReader } from '../../src/tls/client-hello.ts';
import type { ClientHello } from '../../src/tls/client-hello-message.ts';
import { ascii, concat } from '../proxy-protocol/wire.ts';

/** A length of so many bytes, and what it counts. */
export function vector(lengthSize: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const body = concat(...parts);
  return concat(number(lengthSize, body.length), body);
}

export function number(size: number, value: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, at) => (value >>> (8 * (size - 1 - at))) & 0xff);
}

export function extension(type: number, ...parts: readonly Uint8Array[]): Uint8Array {
  return concat(number(2, type), vector(2, ...parts));
}

/** SNI; each name may have a type of its own. */
export function serverNames(...names: readonly (string | readonly [type: number, name: string])[]): Uint8Array {
  const list = names.map((name) => {
    const [type, text] = typeof name === 'string' ? [0, name] : name;
    return concat(number(1, type), vector(2, ascii(text)));
  });
  return extension(0, vector(2, ...list));
}

export function protocols(...names: readonly string[]): Uint8Array {
  return extension(16, vector(2, ...names.map((name) => vector(1, ascii(name)))));
}

export function versions(...list: readonly number[]): Uint8Array {
  return extension(43, vector(1, ...list.map((version) => number(2, version))));
}

export interface HelloParts {
  readonly version?: number;
  readonly sessionId?: Uint8Array;
  readonly cipherSuites?: Uint8Array;
  readonly compressionMethods?: Uint8Array;
  /** Undefined where the hello ends before them. */
  readonly extensions?: readonly Uint8Array[] | undefined;
  /** Behind all. */
  readonly behind?: Uint8Array;
}

/** A handshake message. */
export function message(parts: HelloParts): Uint8Array {
  const { version = 0x0303, sessionId = new Uint8Array(0), cipherSuites = number(2, 0x1301) } = parts;
  const { compressionMethods = number(1, 0), extensions, behind = new Uint8Array(0) } = parts;
  return concat(
    number(1, 1),
    vector(
      3,
      number(2, version),
      new Uint8Array(32).fill(0x52),
      vector(1, sessionId),
      vector(2, cipherSuites),
      vector(1, compressionMethods),
      extensions === undefined ? new Uint8Array(0) : vector(2, ...extensions),
      behind,
    ),
  );
}

export function record(fragment: Uint8Array, type: number = 22, version: number = 0x0301): Uint8Array {
  return concat(number(1, type), number(2, version), vector(2, fragment));
}

/** The message in records of so many bytes, the last of which may be shorter. */
export function records(whole: Uint8Array, size: number = 16_384): Uint8Array {
  const count = Math.ceil(whole.length / size);
  return concat(...Array.from({ length: count }, (_, at) => record(whole.slice(at * size, (at + 1) * size))));
}

export function hello(...extensions: readonly Uint8Array[]): Uint8Array {
  return records(message({ extensions }));
}

/** What a reader comes to that gets the pieces one after the other. */
export function readPieces(
  chunks: readonly Uint8Array[],
  options?: { readonly maximumSize?: number },
): ClientHelloProgress {
  const reader = new ClientHelloReader(options);
  let progress: ClientHelloProgress = { state: 'more' };
  for (const chunk of chunks) {
    progress = reader.push(chunk);
    // A socket's buffer is filled again as soon as it has been read.
    chunk.fill(0xee);
  }
  return progress;
}

/** Reads what is there in one piece. */
export function read(bytes: Uint8Array, options?: { readonly maximumSize?: number }): ClientHelloProgress {
  return readPieces([bytes.slice()], options);
}

/** The hello alone; fails where there is none. */
export function helloIn(bytes: Uint8Array): ClientHello {
  const progress = read(bytes);
  if (progress.state !== 'done') throw new Error(progress.state === 'failed' ? progress.reason : 'more is needed');
  return progress.hello;
}

export function bytesOneByOne(bytes: Uint8Array): Uint8Array[] {
  return Array.from(bytes, (byte) => Uint8Array.of(byte));
}
