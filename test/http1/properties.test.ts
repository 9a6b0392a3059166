import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { answered, answers, chunked, fieldsOf, forwarded, head, only, refusal, requests } from '../fixtures/http1.ts';
import type { Relayed } from '../fuzz/relay.mjs';
import { objections } from '../fuzz/scrutiny.mjs';

const tokenCharacters = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const byte = fc.nat(255).map((code) => String.fromCharCode(code));
const bytes = fc.array(byte, { maxLength: 60 }).map((list) => list.join(''));
const token = fc.string({ unit: fc.constantFrom(...tokenCharacters), minLength: 1, maxLength: 12 });
/** Names that mean nothing to a balancer: 18 digits are behind each. */
const name = token.map((text) => `${text}x123456789012345678`);
const visible = fc.constantFrom(
  ...Array.from({ length: 0x5e }, (_, code) => String.fromCharCode(0x21 + code)),
  '\x80',
  '\xff',
);
const value = fc
  .array(fc.oneof({ weight: 5, arbitrary: visible }, fc.constantFrom(' ', '\t')), { maxLength: 20 })
  .map((list) => list.join('').replace(/^[ \t]+|[ \t]+$/g, ''));
const fields = fc.array(
  fc.tuple(name, value).map(([key, text]) => `${key}: ${text}`),
  { maxLength: 8 },
);
const target = fc
  .string({ unit: visible.filter((text) => text !== '#' && text < '\x7f'), maxLength: 30 })
  .map((text) => `/${text}`);
const method = fc.oneof(
  fc.constantFrom('GET', 'POST', 'HEAD', 'OPTIONS'),
  token.filter((text) => text !== 'CONNECT'),
);
const chunks = fc.array(
  bytes.filter((text) => text !== ''),
  { maxLength: 5 },
);

function asChunks(list: readonly string[]): string {
  return `${list.map((data) => `${data.length.toString(16)}\r\n${data}\r\n`).join('')}0\r\n`;
}

/** A message's body, with the field that announces it. */
const body = fc.oneof(
  fc.constant({ field: [], text: '', data: '' }),
  bytes.map((text) => ({ field: [`Content-Length: ${text.length}`], text, data: text })),
  fc.tuple(chunks, fields).map(([list, trailer]) => ({
    field: [chunked],
    text: `${asChunks(list)}${trailer.map((line) => `${line}\r\n`).join('')}\r\n`,
    data: list.join(''),
  })),
);

const request = fc.tuple(method, target, fields, body).map(([verb, where, list, { field, text, data }]) => ({
  text: `${head(`${verb} ${where} HTTP/1.1`, 'Host: a.example', ...list, ...field)}${text}`,
  method: verb,
  target: where,
  data,
}));

const response = fc
  .tuple(fc.integer({ min: 200, max: 999 }), value, fields, body)
  .map(([status, reason, list, { field, text, data }]) => {
    const isBare = status === 204 || status === 304;
    const framing = status === 204 ? [] : field;
    return {
      text: `${head(`HTTP/1.1 ${status} ${reason}`, ...list, ...framing)}${isBare ? '' : text}`,
      status,
      data: isBare ? '' : data,
    };
  });

/** A text in pieces. */
function cutAt(text: string, places: readonly number[]): string[] {
  const ends = [...places.map((place) => place % (text.length + 1)), text.length].sort((one, other) => one - other);
  return ends.map((end, index) => text.slice(index === 0 ? 0 : ends[index - 1], end));
}

const cuts = fc.array(fc.nat(), { maxLength: 6 });

function read({ messages, error, unread }: Relayed) {
  return [
    messages.map(({ head: first, body: content, trailer, isComplete }) => [first, content, trailer, isComplete]),
    error,
    unread,
  ];
}

describe('a request that is well-formed', () => {
  test('goes on byte for byte, and is read again as it was', () => {
    fc.assert(
      fc.property(request, ({ text, method: verb, target: where, data }) => {
        expect(forwarded(text)).toBe(text);
        expect(only(requests(text))).toMatchObject({ method: verb, target: where, body: data, isComplete: true });
        expect(objections(text)).toEqual([]);
      }),
    );
  });

  test('is read as it is wherever it is cut, with others behind it', () => {
    fc.assert(
      fc.property(
        fc.array(request, { minLength: 1, maxLength: 3 }),
        cuts,
        fc.array(fc.boolean()),
        (list, places, ahead) => {
          const text = list.map((each) => each.text).join('');
          expect(read(requests(cutAt(text, places), { ahead }))).toEqual(read(requests(text)));
          expect(requests(text).messages.map((each) => each.body)).toEqual(list.map(({ data }) => data));
        },
      ),
    );
  });

  test('has the same content in whatever chunks it comes', () => {
    fc.assert(
      fc.property(chunks, chunks, cuts, (list, extensions, places) => {
        const text = list
          .map(
            (data, index) =>
              `${data.length.toString(16)};${(extensions[index] ?? '').replace(/[^\x20-\x7e]/g, '')}\r\n${data}\r\n`,
          )
          .join('');
        const whole = `${head('POST / HTTP/1.1', 'Host: a', chunked)}${text}0\r\n\r\n`;
        const { body: content, out } = only(requests(cutAt(whole, places)));
        expect(content).toBe(list.join(''));
        expect(out.slice(out.indexOf('\r\n\r\n') + 4)).toBe(`${asChunks(list)}\r\n`);
      }),
    );
  });

  test('goes on in one way, whatever is put in', () => {
    const inserts = fc.subarray([
      'X-Forwarded-For',
      'X-Forwarded-Port',
      'X-Forwarded-Proto',
      'Forwarded',
      'X-Request-Id',
      'Via',
    ]);
    fc.assert(
      fc.property(request, inserts, fc.boolean(), ({ text, data }, list, isTrusted) => {
        const out = forwarded(text, { inserts: list, isTrusted });
        expect(objections(out)).toEqual([]);
        // Through a second balancer that trusts the first and puts nothing in go the same fields, framing behind all others.
        expect([...fieldsOf(forwarded(out, { isTrusted: true }))].sort()).toEqual([...fieldsOf(out)].sort());
        expect(only(requests(out)).body).toBe(data);
      }),
    );
  });
});

describe('an answer that is well-formed', () => {
  test('goes on so that it is read again as it was', () => {
    fc.assert(
      fc.property(response, fc.constantFrom(0, 1) as fc.Arbitrary<0 | 1>, ({ text, status, data }, minorVersion) => {
        const message = only(answers(text, { minorVersion }));
        expect(message).toMatchObject({ status, body: data, isComplete: true });
        const out = answered(text, { minorVersion });
        expect(objections(out, { status, endsWithConnection: message.framing === 'close' })).toEqual([]);
        expect(only(answers(out)).body).toBe(data);
      }),
    );
  });

  test('is read as it is wherever it is cut', () => {
    fc.assert(
      fc.property(response, cuts, fc.array(fc.boolean()), fc.boolean(), ({ text }, places, ahead, isForHead) => {
        expect(read(answers(cutAt(text, places), { ahead, isForHead }))).toEqual(read(answers(text, { isForHead })));
      }),
    );
  });
});

describe('bytes that are nothing', () => {
  test('are refused or waited for, never anything else, wherever they are cut', () => {
    fc.assert(
      fc.property(bytes, cuts, (text, places) => {
        const whole = requests(`${text}\n`);
        expect(read(requests(cutAt(`${text}\n`, places)))).toEqual(read(whole));
        expect(whole.messages).toEqual([]);
      }),
    );
  });

  test('in the place of a length are refused unless they are a number', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: fc.constantFrom(...'0123456789+-_ .,xe'), maxLength: 20 }),
          fc.bigInt({ min: 0n, max: 1n << 66n }).map(String),
        ),
        (text) => {
          const isNumber = /^(?:0|[1-9]\d*)$/.test(text.trim()) && Number.isSafeInteger(Number(text));
          const why = refusal(requests(head('POST / HTTP/1.1', 'Host: a', `Content-Length: ${text}`)));
          expect(why).toBe(isNumber ? undefined : '400 a malformed Content-Length');
        },
      ),
    );
  });

  test('in the place of a chunk size are refused unless they are one', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(...'0123456789abcdefABCDEF+-_ .,xg;\t'), maxLength: 16 }),
        (text) => {
          const isSize = /^[0-9a-f]{1,13}(?:;.*)?$/i.test(text);
          const { error } = requests(`${head('POST / HTTP/1.1', 'Host: a', chunked)}${text}\r\n`);
          expect(error === undefined).toBe(isSize);
        },
      ),
    );
  });
});
