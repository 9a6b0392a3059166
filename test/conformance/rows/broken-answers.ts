import { chunked, http } from '../message.ts';
import { blames, get } from '../plays.ts';
import type { Group, Row } from '../row.ts';

function broken(id: string, what: string, answer: string): Row {
  return {
    id,
    title: what,
    run: async (stage) => {
      const client = await stage.client(get());
      (await stage.arrival(client)).wire.send(answer);
      await blames(stage, client, 502);
    },
  };
}

function brokenHead(id: string, what: string, ...fields: readonly string[]): Row {
  const body = fields.some((field) => field.endsWith('chunked')) ? chunked('evil') : 'evil';
  return broken(id, what, http('HTTP/1.1 200 OK', 'X-Evil: evil', ...fields) + body);
}

export const brokenAnswers: Group = {
  title: 'Answers that become 502',
  note: 'The client learns that the member is at fault, and nothing of what it said.',
  rows: [
    brokenHead('answer-lf', 'A line that ends in LF alone', 'X-One: 1\nSet-Cookie: evil', 'Content-Length: 4'),
    brokenHead('answer-folded', 'A folded line', 'X-One: 1', ' folded', 'Content-Length: 4'),
    brokenHead('answer-cr', 'CR in a value', 'X-One: 1\rSet-Cookie: evil', 'Content-Length: 4'),
    brokenHead('answer-nul', 'NUL in a value', 'X-One: 1\0', 'Content-Length: 4'),
    brokenHead('answer-blank-before-colon', 'A blank before the colon', 'X-One : 1', 'Content-Length: 4'),
    brokenHead('answer-no-colon', 'A line without a colon', 'X-One', 'Content-Length: 4'),
    brokenHead('answer-two-lengths', 'Two Content-Length', 'Content-Length: 4', 'Content-Length: 2'),
    brokenHead('answer-length-plus', '`Content-Length: +4`', 'Content-Length: +4'),
    brokenHead(
      'answer-length-and-chunked',
      'Content-Length and Transfer-Encoding',
      'Content-Length: 4',
      'Transfer-Encoding: chunked',
    ),
    brokenHead('answer-gzip-chunked', '`Transfer-Encoding: gzip, chunked`', 'Transfer-Encoding: gzip, chunked'),
    broken(
      'answer-chunked-http10',
      'Transfer-Encoding in HTTP/1.0',
      `${http('HTTP/1.0 200 OK', 'X-Evil: evil', 'Transfer-Encoding: chunked')}0\r\n\r\n`,
    ),
    broken(
      'answer-status',
      'A status that is no number',
      `${http('HTTP/1.1 2x0 OK', 'X-Evil: evil', 'Content-Length: 4')}evil`,
    ),
    broken(
      'answer-status-short',
      'A status of two digits',
      `${http('HTTP/1.1 20 OK', 'X-Evil: evil', 'Content-Length: 4')}evil`,
    ),
    broken(
      'answer-version',
      '`HTTP/2.0` in the status line',
      `${http('HTTP/2.0 200 OK', 'X-Evil: evil', 'Content-Length: 4')}evil`,
    ),
    broken('answer-nonsense', 'No HTTP at all', http('evil evil evil')),
    broken(
      'answer-unasked-101',
      '101 that nobody asked for',
      http('HTTP/1.1 101 Switching Protocols', 'Connection: Upgrade', 'Upgrade: evil'),
    ),
    brokenHead('answer-long-head', 'A head of 40 kB', `X-Long: ${'x'.repeat(40_000)}`, 'Content-Length: 4'),
  ],
};
