/**
 * Clients by number, as a table meets them: no two of the first 2 ** 32 are the same, and neighbours have nothing in common.
 *
 * Every text is new. A runtime computes a text's hash once, and the text of an address, which comes with every connection anew, has
 * none yet; a benchmark that asks for the same texts again flatters whoever needs that hash.
 */
export const clientsBy = {
  ipv4: (n) => {
    const bits = spread(n);
    return text(`${bits >>> 24}.${(bits >>> 16) & 255}.${(bits >>> 8) & 255}.${bits & 255}`);
  },
  ipv6: (n) => {
    const bits = spread(n);
    return text(`2001:db8:${hex(bits >>> 16)}:${hex(bits & 0xffff)}:${hex(spread(bits) >>> 16)}:1ff:fe23:4567`);
  },
  cookie: (n) =>
    text(`JSESSIONID=${[n, n + 1, n + 2, n + 3].map((each) => hex(spread(each)).padStart(8, '0')).join('')}`),
};

/** Odd, so that each number has one of its own (the golden ratio's, Knuth's). */
const spread = (n) => Math.imul(n + 1, 0x9e3779b1) >>> 0;
const hex = (number) => number.toString(16);

/** In one piece: texts that were put together are not, until somebody looks. */
const text = (pieces) => Buffer.from(pieces, 'latin1').latin1Slice();
