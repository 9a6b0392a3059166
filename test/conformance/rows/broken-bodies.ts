import { http } from '../message.ts';
import { breaksOff, post } from '../plays.ts';
import type { Group, Row } from '../row.ts';

const head = post('Transfer-Encoding: chunked');

function broken(id: string, what: string, body: string): Row {
  return { id, title: what, run: (stage) => breaksOff(stage, head + body, 400) };
}

export const brokenBodies: Group = {
  title: 'Chunked bodies that are broken off',
  note: 'The head was in order, and may be at the member: the client gets 400, and what the member has got never becomes a request.',
  rows: [
    broken('chunk-lf', 'A chunk size that ends in LF alone', '5\nhello\r\n0\r\n\r\n'),
    broken('chunk-cr', 'A chunk size that ends in CR alone', '5\rhello\r\n0\r\n\r\n'),
    broken('chunk-no-size', 'A chunk without a size', '\r\nhello\r\n0\r\n\r\n'),
    broken('chunk-plus', 'A chunk size with a sign', '+5\r\nhello\r\n0\r\n\r\n'),
    broken('chunk-hex', 'A chunk size with `0x`', '0x5\r\nhello\r\n0\r\n\r\n'),
    broken('chunk-huge', 'A chunk size beyond 64 bits', '10000000000000005\r\nhello\r\n0\r\n\r\n'),
    broken('chunk-blank', 'A chunk size with a blank in it', '0 5\r\nhello\r\n0\r\n\r\n'),
    broken('chunk-longer', 'A chunk that is longer than its size', '5\r\nhello!\r\n0\r\n\r\n'),
    broken('chunk-data-lf', 'Data that ends in LF alone', '5\r\nhello\n0\r\n\r\n'),
    broken(
      'chunk-extension-lf',
      'A chunk extension that ends in LF alone',
      `5;\nhello\r\n0\r\n\r\n${http('GET /smuggled HTTP/1.1', 'Host: a.example')}`,
    ),
    broken('trailer-folded', 'A trailer with a folded line', '5\r\nhello\r\n0\r\nX-One: 1\r\n folded\r\n\r\n'),
    broken(
      'trailer-lf',
      'A trailer with a line that ends in LF alone',
      '5\r\nhello\r\n0\r\nX-One: 1\nX-Two: 2\r\n\r\n',
    ),
  ],
};
