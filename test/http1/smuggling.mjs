/**
 * Known forms of request smuggling, desynchronisation and response splitting, as data. Each is either refused, or goes on as
 * something that can be read in one way only: `smuggling.test.ts` holds the codec to that, and the fuzzer starts from these.
 *
 * @typedef {object} Attack
 * @property {string} name
 * @property {string} source where it is described, or who fell for it
 * @property {string} bytes what comes in; each character one byte
 * @property {number} refused the status with which it is refused, 0 where it goes on as something harmless
 * @property {number} [messages] how many messages are complete; default none where it is refused, else one
 * @property {readonly string[]} [gone] what must not go on
 * @property {readonly string[]} [leaves] what must
 */

const reborn =
  'James Kettle, HTTP Desync Attacks: Request Smuggling Reborn (2019), and the permutations of http-request-smuggler';
const mustDie = 'James Kettle, HTTP/1.1 must die: the desync endgame (2025)';
const browser = 'James Kettle, Browser-Powered Desync Attacks (2022)';
const funky = 'Jeppe Bonde Weikop, Funky chunks: abusing ambiguous chunk line terminators (2025)';
const klein = 'Amit Klein, HTTP Request Smuggling in 2020';
const garden = 'HTTP Garden, trophies (2023 to 2025)';
const rfc = 'RFC 9112';
const h2c = 'Jake Miller, h2c Smuggling (2020)';

const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: a.example\r\n\r\n';

function message(...lines) {
  return `${lines.join('\r\n')}\r\n\r\n`;
}

function post(...fields) {
  return message('POST / HTTP/1.1', 'Host: a.example', ...fields);
}

function get(...fields) {
  return message('GET / HTTP/1.1', 'Host: a.example', ...fields);
}

function entry(name, source, bytes, refused, rest = {}) {
  return { name, source, bytes, refused, ...rest };
}

/** Lengths that say 6, or seem to, beside chunks. */
const bothWays = [
  ['Content-Length: 6', 'Transfer-Encoding: chunked'],
  ['Transfer-Encoding: chunked', 'Content-Length: 6'],
  ['Content-Length: 0', 'Transfer-Encoding: chunked'],
  ['Transfer-Encoding: chunked', 'content-length: 60'],
].map((fields) =>
  entry(fields.join(', '), `CL.TE and TE.CL: ${reborn}`, `${post(...fields)}0\r\n\r\n${smuggled}`, 400),
);

/** Every way to write the line that some parser takes for chunked and some other does not. */
const codingLines = {
  underscore: 'Transfer_Encoding: chunked',
  dot: 'Transfer.Encoding: chunked',
  'blank for hyphen': 'Transfer Encoding: chunked',
  'blank before colon': 'Transfer-Encoding : chunked',
  'tab before colon': 'Transfer-Encoding\t: chunked',
  'vertical tab before colon': 'Transfer-Encoding\x0b: chunked',
  'NUL before colon': 'Transfer-Encoding\0: chunked',
  'no-break space before colon': 'Transfer-Encoding\xa0: chunked',
  'CR before colon': 'Transfer-Encoding\r: chunked',
  'LF before colon': 'Transfer-Encoding\n: chunked',
  'LF and blank before colon': 'Transfer-Encoding\n : chunked',
  'junk before colon': 'Transfer-Encoding x: chunked',
  'two colons': 'Transfer-Encoding:: chunked',
  'no colon': 'Transfer-Encoding chunked',
  'folded behind another': 'Foo: bar\r\n Transfer-Encoding: chunked',
  'folded with a tab': 'Foo: bar\r\n\tTransfer-Encoding: chunked',
  'after CR': 'Foo: bar\rTransfer-Encoding: chunked',
  'after LF': 'Foo: bar\nTransfer-Encoding: chunked',
  'after CR LF CR': 'Foo: bar\r\n\rTransfer-Encoding: chunked',
  'after two LF': 'Foo: bar\n\nTransfer-Encoding: chunked',
  'after NUL': 'Foo: bar\0Transfer-Encoding: chunked',
  'CR in the name': 'Tra\rnsfer-Encoding: chunked',
  'backslash for hyphen': 'Transfer\\Encoding: chunked',
  'accent in the name': 'Transf\x82r-Encoding: chunked',
  'blank before the name': ' Transfer-Encoding: chunked',
  'vertical tab before the name': '\x0bTransfer-Encoding: chunked',
  'value folded': 'Transfer-Encoding:\r\n chunked',
  'value folded with a tab': 'Transfer-Encoding: \r\n\tchunked',
  'value after LF': 'Transfer-Encoding:\n chunked',
  'value after LF and vertical tab': 'Transfer-Encoding: \n\x0bchunked',
  'vertical tab before value': 'Transfer-Encoding: \x0bchunked',
  'form feed before value': 'Transfer-Encoding: \x0cchunked',
  'NUL before value': 'Transfer-Encoding: \0chunked',
  'CR before value': 'Transfer-Encoding: \rchunked',
  'DEL before value': 'Transfer-Encoding: \x7fchunked',
  'no-break space before value': 'Transfer-Encoding:\xa0chunked',
  '0xff before value': 'Transfer-Encoding:\xffchunked',
  'next line before value': 'Transfer-Encoding: \x85chunked',
  'vertical tab behind value': 'Transfer-Encoding: chunked\x0b',
  'form feed behind value': 'Transfer-Encoding: chunked\x0c',
  'NUL behind value': 'Transfer-Encoding: chunked\0',
  'CR behind value': 'Transfer-Encoding: chunked\r',
  'DEL behind value': 'Transfer-Encoding: chunked\x7f',
  'no-break spaces around value': 'Transfer-Encoding: \xa0chunked\xa0',
  'accent in value': 'Transfer-Encoding: ch\x96nked',
  'double quotes': 'Transfer-Encoding: "chunked"',
  'single quotes': "Transfer-Encoding: 'chunked'",
  xchunked: 'Transfer-Encoding: xchunked',
  chunkedx: 'Transfer-Encoding: chunkedx',
  chunk: 'Transfer-Encoding: chunk',
  'x chunked': 'Transfer-Encoding: x chunked',
  'chunked x': 'Transfer-Encoding: chunked x',
  cow: 'Transfer-Encoding: cow',
  identity: 'Transfer-Encoding: identity',
  'chunked, identity': 'Transfer-Encoding: chunked, identity',
  'identity, chunked': 'Transfer-Encoding: identity, chunked',
  'identity, chunked, identity': 'Transfer-Encoding: identity, chunked, identity',
  'gzip, chunked': 'Transfer-Encoding: gzip, chunked',
  'chunked, gzip': 'Transfer-Encoding: chunked, gzip',
  'chunked, chunked': 'Transfer-Encoding: chunked, chunked',
  'leading comma': 'Transfer-Encoding: ,chunked',
  'trailing comma': 'Transfer-Encoding: chunked,',
  parameter: 'Transfer-Encoding: chunked;ext=val',
  semicolon: 'Transfer-Encoding: chunked;',
  'value empty': 'Transfer-Encoding:',
  'chunked twice': 'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked',
  'chunked, then identity': 'Transfer-Encoding: chunked\r\nTransfer-encoding: identity',
  'identity, then chunked': 'Transfer-Encoding: identity\r\nTransfer-Encoding: chunked',
  'chunked, then cow': 'Transfer-Encoding: chunked\r\nTransfer-Encoding: cow',
  'LF in place of CR LF': 'Transfer-Encoding: chunked\nFoo: bar',
  'CR in place of CR LF': 'Transfer-Encoding: chunked\rFoo: bar',
  'CR CR LF in place of CR LF': 'Transfer-Encoding: chunked\r\r\nFoo: bar',
  'named by Connection': 'Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked',
  lower: 'transfer-encoding: chunked',
  upper: 'TRANSFER-ENCODING: CHUNKED',
  mixed: 'tRANSFER-ENCODING: Chunked',
  'no blank': 'Transfer-Encoding:chunked',
  'two blanks': 'Transfer-Encoding:  chunked',
  'tab for blank': 'Transfer-Encoding:\tchunked',
  'blank behind value': 'Transfer-Encoding: chunked ',
  'tab behind value': 'Transfer-Encoding: chunked\t',
};

/** What is plain `chunked` to everybody who reads the RFC. */
const plainlyChunked = new Set([
  'named by Connection',
  'lower',
  'upper',
  'mixed',
  'no blank',
  'two blanks',
  'tab for blank',
  'blank behind value',
  'tab behind value',
]);
/** What is another field, or none. */
const otherwiseNamed = new Set(['underscore', 'dot']);

const codings = Object.entries(codingLines).flatMap(([name, line]) => {
  const source = `TE.TE: ${name.endsWith('junk before colon') || name.startsWith('backslash') ? klein : reborn}`;
  const both = post('Content-Length: 6', line);
  const alone = `${post(line)}0\r\n\r\n${smuggled}`;
  if (otherwiseNamed.has(name)) {
    return [
      entry(`coding with a length: ${name}`, source, `${both}0\r\n\r\nx`, 0, {
        gone: ['ncoding'],
        leaves: ['Content-Length: 6\r\n'],
      }),
    ];
  }
  const beside = entry(`coding with a length: ${name}`, source, `${both}0\r\n\r\n${smuggled}`, 400);
  if (!plainlyChunked.has(name)) return [beside, entry(`coding: ${name}`, source, alone, 400)];
  return [
    beside,
    entry(`coding: ${name}`, source, alone, 0, { messages: 2, leaves: ['\r\nTransfer-Encoding: chunked\r\n'] }),
  ];
});

const besideCodings = [
  entry(
    'Content-Encoding: chunked',
    `TE.TE: ${reborn}`,
    `${post('Content-Length: 6', 'Content-Encoding: chunked')}0\r\n\r\nx`,
    0,
  ),
  entry(
    'a percent sign in the name',
    `TE.TE: ${reborn}`,
    `${post('Content-Length: 6', 'Transfer-%45ncoding: chunked')}0\r\n\r\nx`,
    0,
  ),
  entry(
    'a folded line before the first field',
    `badwrap: ${reborn}`,
    `POST / HTTP/1.1\r\n Transfer-Encoding: chunked\r\nHost: a.example\r\nContent-Length: 6\r\n\r\n0\r\n\r\nx`,
    400,
  ),
  entry(
    'chunked in HTTP/1.0',
    rfc,
    `${message('POST / HTTP/1.0', 'Host: a.example', 'Transfer-Encoding: chunked')}0\r\n\r\n${smuggled}`,
    400,
  ),
  entry(
    'chunked in HTTP/1.0, kept alive',
    rfc,
    `${message('POST / HTTP/1.0', 'Host: a.example', 'Connection: keep-alive', 'Transfer-Encoding: chunked')}0\r\n\r\n${smuggled}`,
    400,
  ),
  entry(
    'a name whose length overflows a byte',
    'HAProxy, CVE-2021-40346',
    `${post(`Content-Length0${'a'.repeat(255)}:`, 'Content-Length: 24')}GET /smuggled HTTP/1.1\r\n`,
    0,
  ),
];

/** Lengths that are not digits alone, for a body of five bytes. */
const badLengths = {
  plus: '+5',
  minus: '-5',
  'minus zero': '-0',
  hexadecimal: '0x5',
  octal: '0o5',
  'leading zeros': '005',
  'octal or decimal': '0200',
  'two zeros': '00',
  underscore: '1_0',
  'plus and underscore': '+1_0',
  'a blank inside': '5 5',
  'a tab inside': '5\t5',
  fraction: '5.0',
  exponent: '5e0',
  letters: 'five',
  'digits and a letter': '5x',
  quoted: '"5"',
  semicolon: '5;',
  empty: '',
  'twice in a list': '5, 5',
  'three times in a list': '5, 5, 5',
  'two in a list': '5, 6',
  'leading comma': ',5',
  'trailing comma': '5,',
  'beyond 64 bits': '18446744073709551621',
  'beyond 63 bits': '9223372036854775813',
  'beyond 53 bits': '9007199254740992',
  'many nines': '9'.repeat(40),
  'a superscript digit': '5\xb2',
  'UTF-8 digits': '\xef\xbc\x95',
  'NUL behind': '5\0',
  'vertical tab before': '\x0b5',
  'form feed behind': '5\x0c',
  'no-break space before': '\xa05',
  'CR behind': '5\r',
  folded: '\r\n 5',
};
const lengths = [
  ...Object.entries(badLengths).flatMap(([name, value]) => [
    entry(`length: ${name}`, `CL.CL: ${garden}`, `${post(`Content-Length: ${value}`)}hello${smuggled}`, 400),
    entry(`length of a GET: ${name}`, `0.CL: ${mustDie}`, `${get(`Content-Length: ${value}`)}hello${smuggled}`, 400),
  ]),
  ...[
    ['5', '6'],
    ['5', '5'],
    ['0', '5'],
    ['5', '0'],
    ['5', ''],
  ].map(([first, second]) =>
    entry(
      `two lengths, ${first} and ${second}`,
      `CL.CL: ${rfc}`,
      `${post(`Content-Length: ${first}`, `content-length: ${second}`)}hello${smuggled}`,
      400,
    ),
  ),
  ...[
    'Content-Length:5',
    'Content-Length:  5',
    'Content-Length:\t5 \t',
    'CONTENT-LENGTH: 5',
    'Connection: content-length\r\nContent-Length: 5',
  ].map((line) =>
    entry(`length: ${JSON.stringify(line)}`, rfc, `${post(line)}hello${smuggled}`, 0, {
      messages: 2,
      leaves: ['\r\nContent-Length: 5\r\n'],
    }),
  ),
];

/** A length that one of two parsers does not see (HiddenPair of http-request-smuggler). */
const hiddenLengths = [
  ['blank before colon', 'Content-Length : 43', 400],
  ['tab before colon', 'Content-Length\t: 43', 400],
  ['value folded', 'Content-Length:\r\n 43', 400],
  ['blank before the name', 'X-Junk: x\r\n Content-Length: 43', 400],
  ['first of all, with a blank', ' Content-Length: 43', 400],
  ['after LF', 'X-Junk: x\nContent-Length: 43', 400],
  ['after CR', 'X-Junk: x\rContent-Length: 43', 400],
  ['blank for hyphen', 'Content Length: 43', 400],
  ['after an empty name', ': x\r\nContent-Length: 43', 400],
  ['NUL behind the name', 'Content-Length\0: 43', 400],
].map(([name, line, refused]) =>
  entry(`hidden length: ${name}`, `0.CL and CL.0: ${mustDie}`, get(line) + smuggled, refused),
);

const unseenLengths = [
  entry('hidden length: underscore', `CL.0: ${mustDie}`, get(`Content_Length: ${smuggled.length}`) + smuggled, 0, {
    messages: 2,
    gone: ['ontent'],
  }),
  entry('GET with a body', `CL.0: ${browser}`, get(`Content-Length: ${smuggled.length}`) + smuggled, 0, {
    leaves: ['\r\nContent-Length: 43\r\n'],
  }),
  entry(
    'HEAD with a body',
    `CL.0: ${browser}`,
    message('HEAD / HTTP/1.1', 'Host: a.example', `Content-Length: ${smuggled.length}`) + smuggled,
    0,
  ),
  entry(
    'OPTIONS with a body',
    `CL.0: ${browser}`,
    message('OPTIONS * HTTP/1.1', 'Host: a.example', `Content-Length: ${smuggled.length}`) + smuggled,
    0,
  ),
  entry(
    'DELETE with chunks',
    'httpxy and next.js, GHSA-ggv3-7p47-pfv8',
    `${message('DELETE / HTTP/1.1', 'Host: a.example', 'Transfer-Encoding: chunked')}${smuggled.length.toString(16)}\r\n${smuggled}\r\n0\r\n\r\n`,
    0,
    { leaves: ['\r\nTransfer-Encoding: chunked\r\n'] },
  ),
  entry('a body that nothing announces', `CL.0: ${browser}`, post() + smuggled, 0, { messages: 2 }),
  entry('a byte behind an empty body', `CL.0: ${browser}`, `${post('Content-Length: 0')}X${smuggled}`, 0, {
    messages: 2,
    gone: ['XGET / '],
  }),
];

const chunk = (size, rest) => `${size}${rest}`;
/** Chunked bodies that two parsers cut at different places. */
const badChunks = {
  ...Object.fromEntries(
    Object.entries({
      '0x': '0x5',
      underscore: '0_5',
      'underscore behind': '5_0',
      plus: '+5',
      minus: '-5',
      'leading blank': ' 5',
      'leading tab': '\t5',
      'trailing blank': '5 ',
      'trailing tab': '5\t',
      'trailing vertical tab': '5\x0b',
      'no-break space': '\xa05',
      NUL: '5\0',
      letter: '5g',
      fraction: '5.0',
      comma: '5,5',
      quoted: '"5"',
      empty: '',
      'beyond 53 bits': '20000000000005',
      'beyond 64 bits': '10000000000000005',
      'all 64 bits': 'ffffffffffffffff',
      'negative in 64 bits': 'fffffffffffffffb',
      'more zeros than anybody writes': `${'0'.repeat(60)}5`,
      'a UTF-8 digit': '\xef\xbc\x95',
    }).map(([name, size]) => [`size: ${name}`, `${size}\r\nhello\r\n0\r\n\r\n`]),
  ),
  'size ended by LF': '5\nhello\r\n0\r\n\r\n',
  'size ended by CR': '5\rhello\r\n0\r\n\r\n',
  'size ended by CR CR LF': '5\r\r\nhello\r\n0\r\n\r\n',
  'size ended by LF CR': '5\n\rhello\r\n0\r\n\r\n',
  'size ended by CR and another byte': '5\rXhello\r\n0\r\n\r\n',
  'blank before extension': '5 ;a\r\nhello\r\n0\r\n\r\n',
  'extension without semicolon': '5 a\r\nhello\r\n0\r\n\r\n',
  ...Object.fromEntries(
    Object.entries({
      LF: '\n',
      CR: '\r',
      'CR and a byte': '\rX',
      'CR CR': '\r\r',
      NUL: '\0',
      'vertical tab': '\x0b',
      DEL: '\x7f',
    }).flatMap(([name, end]) => [
      [`TERM.EXT, ${name}`, `2;${end}xx\r\n4c\r\n0\r\n\r\n${smuggled}0\r\n\r\n`],
      [`EXT.TERM, ${name}`, `2;${end}XX\r\n22\r\nc\r\nAAAABBBBCCCC\r\n0\r\n\r\n`],
    ]),
  ),
  'LF in a quoted extension': '5;a="\n"\r\nhello\r\n0\r\n\r\n',
  'CR LF in a quoted extension': '5;a="\r\n"\r\nhello\r\n0\r\n\r\n',
  'LF in the extension of the last chunk': '5\r\nhello\r\n0;a\n\r\n\r\n',
  ...Object.fromEntries(
    Object.entries({
      LF: '\n',
      CR: '\r',
      nothing: '',
      'two bytes': 'XX',
      'CR and a byte': '\rX',
      'CR CR': '\r\r',
      'CR LF CR LF': '\r\n\r\n',
    }).flatMap(([name, end]) => [
      [`TERM.SPILL, ${name}`, `5\r\nAAAAA${end}c\r\n17\r\nAAAABBBB\r\n0\r\n\r\nCCCCDDDD\r\n0\r\n\r\n`],
      [`SPILL.TERM, ${name}`, `5\r\nAAAAA${end}1a\r\n8\r\nAAAABBBB\r\n0\r\n\r\nCCCCDDDD\r\n0\r\n\r\n`],
      [`ONE.TWO, ${name}`, `2\r\nXX${end}12\r\nXX\r\n19\r\nXXAAAABBBB\r\n0\r\n\r\nCCCCDDDD\r\n0\r\n\r\n`],
      [`TWO.ONE, ${name}`, `2\r\nXX${end}10\r\n\r\nAAAABBBBCCCCDD\r\n0\r\n\r\n`],
    ]),
  ),
  'ZERO.TWO': '2\r\nXX012\r\nXX\r\n19\r\nXXAAAABBBB\r\n0\r\n\r\n',
  'TWO.ZERO': '2\r\nxx010\r\n\r\nAAAABBBBCCCCDD\r\n0\r\n\r\n',
  'data longer than its size': '5\r\nhello, world\r\n0\r\n\r\n',
  'data shorter than its size': 'a\r\nhello\r\n0\r\n\r\n',
  'no size where one belongs': '\r\n\r\n',
  'an empty line between chunks': '5\r\nhello\r\n\r\n0\r\n\r\n',
  'last chunk ended by LF': '5\r\nhello\r\n0\n\n',
  'last chunk, then LF': '5\r\nhello\r\n0\r\n\n',
  'last chunk, then CR CR LF': '5\r\nhello\r\n0\r\n\r\r\n',
  'last chunk, then junk': '5\r\nhello\r\n0\r\njunk\r\n\r\n',
  'trailer ended by LF': '5\r\nhello\r\n0\r\nX: y\n\r\n',
  'trailer with a folded line': '5\r\nhello\r\n0\r\nX: y\r\n Transfer-Encoding: chunked\r\n\r\n',
  'trailer with NUL': '5\r\nhello\r\n0\r\nX: y\0\r\n\r\n',
  'trailer with a blank before the colon': '5\r\nhello\r\n0\r\nX : y\r\n\r\n',
  'trailer of a request line': `0\r\n${smuggled}`,
};

const harmlessChunks = {
  extensions: '5;a=b;c="d"\r\nhello\r\n0;e\r\n\r\n',
  'a bare semicolon': '5;\r\nhello\r\n0;\r\n\r\n',
  'an extension that looks like a chunk': '5;0\r\nhello\r\n0\r\n\r\n',
  'an extension that opens a quote': '5;a="\r\nhello\r\n0\r\n\r\n',
  'a request in the data': `${smuggled.length.toString(16)}\r\n${smuggled}\r\n0\r\n\r\n`,
  'an end in the data': '7\r\n0\r\n\r\nab\r\n0\r\n\r\n',
  'zeros before the size': '0005\r\nhello\r\n000\r\n\r\n',
  'capitals in the size': `A\r\n0123456789\r\n0\r\n\r\n`,
};

const deceitfulTrailers = [
  'Content-Length: 5',
  'Content_Length: 5',
  'Transfer-Encoding: chunked',
  'Host: b.example',
  'Connection: close',
  'Expect: 100-continue',
  'Authorization: Basic YTpi',
  'Cookie: admin=1',
  'Set-Cookie: a=b',
  'Content-Type: text/html',
  'Content-Encoding: gzip',
  'Content.Type: text/html',
  'X-Forwarded-For: 127.0.0.1',
  'X-Forwarded-Whatever: 1',
  'X_Forwarded_For: 127.0.0.1',
  'Forwarded: for=127.0.0.1',
  'Range: bytes=0-1',
  'If-Match: *',
  'Upgrade: h2c',
];

function chunkAttacks(head, refused) {
  return [
    ...Object.entries(badChunks).map(([name, body]) =>
      entry(`chunks: ${name}`, /TERM|SPILL|ONE|TWO/.test(name) ? funky : garden, head + chunk(body, smuggled), refused),
    ),
    ...Object.entries(harmlessChunks).map(([name, body]) =>
      entry(`chunks: ${name}`, rfc, head + body, 0, { gone: [';'] }),
    ),
    ...deceitfulTrailers.map((line) =>
      entry(`trailer: ${line}`, 'RFC 9110, section 6.5.1', `${head}5\r\nhello\r\n0\r\n${line}\r\nX-Sum: 1\r\n\r\n`, 0, {
        gone: [`\r\n${line}\r\nX-Sum`],
        leaves: ['X-Sum: 1\r\n'],
      }),
    ),
  ];
}

const expectations = [
  entry('an obfuscated expectation', mustDie, `${get('Expect: y 100-continue', 'Content-Length: 5')}hello`, 417),
  entry('an expectation in a list', mustDie, `${post('Expect: 100-continue, x', 'Content-Length: 5')}hello`, 417),
  entry('an empty expectation', mustDie, `${post('Expect:', 'Content-Length: 5')}hello`, 417),
  entry('an expectation with a semicolon', mustDie, `${post('Expect: 100-continue;', 'Content-Length: 5')}hello`, 417),
  entry('an expectation with NUL', mustDie, `${post('Expect: 100-continue\0', 'Content-Length: 5')}hello`, 400),
  entry('an expectation after LF', mustDie, `${post('Expect:\n100-continue', 'Content-Length: 5')}hello`, 400),
  entry('a folded expectation', mustDie, `${post('Expect:\r\n 100-continue', 'Content-Length: 5')}hello`, 400),
  entry(
    'one that is fine and one that is not',
    mustDie,
    `${post('Expect: 100-continue', 'Expect: 200-ok', 'Content-Length: 5')}hello`,
    417,
  ),
  entry('an expectation without a body', `0.CL: ${mustDie}`, get('Expect: 100-continue') + smuggled, 0, {
    messages: 2,
    gone: ['Expect'],
  }),
  entry(
    'an expectation with an empty body',
    `0.CL: ${mustDie}`,
    get('Expect: 100-continue', 'Content-Length: 0') + smuggled,
    0,
    { messages: 2, gone: ['Expect'] },
  ),
  entry(
    'an expectation in HTTP/1.0',
    'RFC 9110, section 10.1.1',
    `${message('POST / HTTP/1.0', 'Host: a.example', 'Expect: 100-continue', 'Content-Length: 5')}hello`,
    0,
    { gone: ['Expect'] },
  ),
  entry(
    'an expectation whose body is not sent',
    mustDie,
    `${post('Expect: 100-continue', `Content-Length: ${smuggled.length}`)}${smuggled}`,
    0,
  ),
];

const hosts = [
  ...[
    ['two', ['Host: a.example', 'Host: b.example']],
    ['two that are equal', ['Host: a.example', 'Host: a.example']],
    ['two, one lower', ['Host: a.example', 'host: b.example']],
    ['none', []],
    ['a blank before the colon', ['Host : a.example']],
    ['a list', ['Host: a.example, b.example']],
    ['user information', ['Host: a.example@b.example']],
    ['a path', ['Host: a.example/b']],
    ['a query', ['Host: a.example?b']],
    ['a fragment', ['Host: a.example#b']],
    ['a backslash', ['Host: a.example\\b']],
    ['a blank', ['Host: a.example b.example']],
    ['a tab', ['Host: a.example\tb.example']],
    ['NUL', ['Host: a.example\0.b.example']],
    ['CR', ['Host: a.example\rX: y']],
    ['a word for a port', ['Host: a.example:x']],
    ['a signed port', ['Host: a.example:+80']],
    ['two ports', ['Host: a.example:80:80']],
    ['a port with a host', ['Host: a.example:80@b.example']],
    ['an IPv6 address without brackets', ['Host: ::1']],
    ['half a bracket', ['Host: [::1']],
    ['the other half', ['Host: ::1]']],
    ['brackets with a host behind', ['Host: [::1].b.example']],
    ['brackets inside', ['Host: a[b]']],
    ['a zone', ['Host: [fe80::1%25eth0]']],
    ['a scheme', ['Host: http://a.example']],
    ['quotes', ['Host: "a.example"']],
    ['Latin 1', ['Host: \xe4.example']],
    ['a folded one', ['Host: a.example\r\n Host: b.example']],
    ['folded before another', ['X: y\r\n Host: b.example', 'Host: a.example']],
    ['an underscored alias that is none', ['Ho_st: b.example', 'Host: a.example', 'Host: b.example']],
  ].map(([name, lines]) =>
    entry(`Host: ${name}`, 'RFC 9112, section 3.2, and Host header attacks', message('GET / HTTP/1.1', ...lines), 400),
  ),
  ...[
    ['another host', 'GET http://b.example/ HTTP/1.1'],
    ['another port', 'GET http://a.example:8080/ HTTP/1.1'],
    ['the port of another scheme', 'GET http://a.example:443/ HTTP/1.1'],
    ['the other port of another scheme', 'GET https://a.example:80/ HTTP/1.1'],
    ['user information', 'GET http://a.example@b.example/ HTTP/1.1'],
    ['user information and our host', 'GET http://b.example@a.example/ HTTP/1.1'],
    ['a backslash', 'GET http://a.example\\@b.example/ HTTP/1.1'],
    ['no host', 'GET http:///a HTTP/1.1'],
    ['no host but a port', 'GET http://:80/ HTTP/1.1'],
    ['one slash', 'GET http:/a.example/ HTTP/1.1'],
    ['no slashes', 'GET http:a.example/ HTTP/1.1'],
    ['another scheme', 'GET ftp://a.example/ HTTP/1.1'],
    ['a script', 'GET javascript:alert(1) HTTP/1.1'],
    ['a fragment', 'GET http://a.example#@b.example/ HTTP/1.1'],
    ['an authority', 'GET a.example:80 HTTP/1.1'],
    ['a relative path', 'GET a HTTP/1.1'],
    ['a query', 'GET ?a HTTP/1.1'],
    ['an at sign', 'GET @b.example/ HTTP/1.1'],
    ['an asterisk', 'GET * HTTP/1.1'],
    ['an asterisk and more', 'OPTIONS *a HTTP/1.1'],
  ].map(([name, line]) => entry(`target: ${name}`, 'RFC 9112, section 3.2.2', message(line, 'Host: a.example'), 400)),
  entry(
    'target: absolute, empty Host',
    'RFC 9112, section 3.2.2',
    message('GET http://a.example/ HTTP/1.1', 'Host:'),
    400,
  ),
  entry('target: absolute, no Host', 'RFC 9112, section 3.2.2', message('GET http://a.example/ HTTP/1.1'), 400),
  entry(
    'target: absolute',
    'RFC 9112, section 3.2.2',
    message('GET http://A.example:80/x?y HTTP/1.1', 'Host: a.example'),
    0,
    { leaves: ['GET /x?y HTTP/1.1\r\n'] },
  ),
  entry('target: absolute, of HTTP/1.0', 'RFC 9112, section 3.2.2', message('GET http://b.example:81/x HTTP/1.0'), 0, {
    leaves: ['GET /x HTTP/1.1\r\n', '\r\nHost: b.example:81\r\n'],
  }),
  entry('target: two slashes', 'RFC 9112, section 3.2.1', message('GET //b.example/ HTTP/1.1', 'Host: a.example'), 0, {
    leaves: ['GET //b.example/ HTTP/1.1\r\n'],
  }),
  ...[
    'X-Forwarded-Host: b.example',
    'X-Forwarded-For: 127.0.0.1',
    'Forwarded: host=b.example',
    'X_Forwarded_Host: b.example',
    'X-Forwarded_Host: b.example',
    'X.Forwarded.For: 127.0.0.1',
    'X-Real-IP: 127.0.0.1',
    'X-Forwarded-Server: b.example',
    'X-Forwarded-Prefix: /b',
  ].map((line) => entry(`a stranger's ${line}`, 'Host header attacks', get(line), 0, { gone: [line] })),
];

const requestLines = [
  ...[
    ['two blanks', 'GET  / HTTP/1.1'],
    ['two blanks before the version', 'GET /  HTTP/1.1'],
    ['a blank at the end', 'GET / HTTP/1.1 '],
    ['a blank at the start', ' GET / HTTP/1.1'],
    ['a tab', 'GET\t/ HTTP/1.1'],
    ['a tab before the version', 'GET /\tHTTP/1.1'],
    ['a vertical tab', 'GET\x0b/ HTTP/1.1'],
    ['a CR', 'GET\r/ HTTP/1.1'],
    ['an LF', 'GET /\nHTTP/1.1'],
    ['NUL', 'GET /\0 HTTP/1.1'],
    ['a blank in the target', 'GET /a b HTTP/1.1'],
    ['another version in the target', 'GET / HTTP/1.1 HTTP/1.1'],
    ['a fragment', 'GET /a#b HTTP/1.1'],
    ['a byte beyond ASCII', 'GET /\xe4 HTTP/1.1'],
    ['DEL', 'GET /\x7f HTTP/1.1'],
    ['no target', 'GET HTTP/1.1'],
    ['no version', 'GET /'],
    ['no version, a blank', 'GET / '],
    ['no method', '/ HTTP/1.1'],
    ['a method with a blank', 'GE T / HTTP/1.1'],
    ['a method with punctuation', 'G=":<>(e),[T];?" /get HTTP/1.1'],
    ['a method with NUL', 'GET\0 / HTTP/1.1'],
    ['a method that is too long', `${'A'.repeat(33)} / HTTP/1.1`],
    ['lower case', 'GET / http/1.1'],
    ['another protocol', 'GET / HTTPS/1.1'],
    ['another protocol that llhttp knows', 'GET / RTSP/1.0'],
    ['ICY', 'SOURCE / ICE/1.0'],
    ['two digits', 'GET / HTTP/1.10'],
    ['a leading zero', 'GET / HTTP/01.1'],
    ['no minor', 'GET / HTTP/1'],
    ['a comma', 'GET / HTTP/1,1'],
    ['a blank inside', 'GET / HTTP/ 1.1'],
    ['CR inside', 'GET / HTTP/\r\r1.1'],
    ['a sign', 'GET / HTTP/+1.1'],
    ['a digit too many', 'GET / HTTP/1.32'],
  ].map(([name, line]) =>
    entry(`request line: ${name}`, `RFC 9112, section 3, and ${garden}`, message(line, 'Host: a.example'), 400),
  ),
  ...[
    ['1.2', 'GET / HTTP/1.2'],
    ['1.9', 'GET / HTTP/1.9'],
    ['0.9', 'GET / HTTP/0.9'],
    ['2.0', 'GET / HTTP/2.0'],
    ['the preface of HTTP/2', 'PRI * HTTP/2.0'],
  ].map(([name, line]) => entry(`version: ${name}`, 'RFC 9110, section 2.5', message(line, 'Host: a.example'), 505)),
  entry('HTTP/0.9', rfc, 'GET /\r\n\r\n', 400),
  entry('HTTP/0.9 with fields after LF', 'llhttp#877', `GET /\nHost: a.example\r\n\r\n`, 400),
  entry('HTTP/0.9 and a version on the next line', garden, 'GET /\nHTTP/1.1\r\nHost: a.example\r\n\r\n', 400),
  entry('LF ends the request line', rfc, 'GET / HTTP/1.1\nHost: a.example\r\n\r\n', 400),
  entry('LF ends all lines', rfc, 'GET / HTTP/1.1\nHost: a.example\n\n', 400),
  entry('CR ends all lines', rfc, 'GET / HTTP/1.1\rHost: a.example\r\r', 400),
  entry('LF ends the head', rfc, 'GET / HTTP/1.1\r\nHost: a.example\r\n\n', 400),
  entry('CR CR LF ends the head', rfc, 'GET / HTTP/1.1\r\nHost: a.example\r\n\r\r\n', 400),
  entry('LF before the request', rfc, `\n${get()}`, 400),
  entry('CR before the request', rfc, `\r${get()}`, 400),
  entry('two empty lines before the request', rfc, `\r\n\r\n${get()}`, 400),
  entry('a blank before the request', rfc, ` \r\n${get()}`, 400),
  entry('an empty line before the request', rfc, `\r\n${get()}`, 0, { gone: ['\r\nGET'] }),
  entry('CONNECT', 'RFC 9110, section 9.3.6', message('CONNECT b.example:443 HTTP/1.1', 'Host: b.example:443'), 405),
  entry('CONNECT of a path', 'RFC 9110, section 9.3.6', message('CONNECT / HTTP/1.1', 'Host: a.example'), 405),
  entry(
    'CONNECT with a body',
    'RFC 9110, section 9.3.6',
    `${message('CONNECT b.example:443 HTTP/1.1', 'Host: b.example:443', 'Content-Length: 5')}hello`,
    405,
  ),
];

const fieldLines = [
  ...[
    ['no name', ': x'],
    ['no colon', 'X'],
    ['no colon, a value', 'X y'],
    ['brackets in the name', '[X]: y'],
    ['an at sign in the name', 'X@: y'],
    ['a byte beyond ASCII in the name', 'X\xe9: y'],
    ['UTF-8 in the name', '\xef\xbb\xbfX: y'],
    ['a blank in the name', 'X Y: z'],
    ['NUL in the name', 'X\0: y'],
    ['NUL in the value', 'X: y\0z'],
    ['CR in the value', 'X: y\rz'],
    ['NUL and CR in the value', 'X: y\0\rz'],
    ['LF in the value', 'X: y\nz'],
    ['BEL in the value', 'X: y\x07z'],
    ['ESC in the value', 'X: \x1b[2J'],
    ['DEL in the value', 'X: y\x7fz'],
    ['a folded line', 'X: y\r\n z'],
    ['a line of blanks', 'X: y\r\n \r\nZ: 1'],
    ['a line of a tab', 'X: y\r\n\t\r\nZ: 1'],
    ['a response', 'HTTP/1.1 200 OK'],
  ].map(([name, line]) => entry(`field: ${name}`, `RFC 9112, section 5, and ${garden}`, get(line), 400)),
  entry('field: a value that looks like an end', reborn, get('X: \\r\\n\\r\\nGET /smuggled HTTP/1.1'), 0),
];

const hops = [
  ...['Content-Length', 'Host', 'Content-Length, Host, close'].map((names) =>
    entry(
      `Connection: ${names}`,
      'Nathan Davison, Abusing HTTP hop-by-hop request headers (2019)',
      `${post(`Connection: ${names}`, 'Content-Length: 5')}hello`,
      0,
      { gone: ['\r\nConnection'], leaves: ['\r\nHost: a.example\r\n', '\r\nContent-Length: 5\r\n'] },
    ),
  ),
  entry(
    'Connection names a field of ours',
    'Fastify reply-from, Connection-list bypass',
    get('Connection: close, X-Secret', 'X-Secret: 1', 'x-secret: 2'),
    0,
    { gone: ['ecret'] },
  ),
  entry('Connection before a colon with a blank', mustDie, get('Connection : X-Secret'), 400),
  entry('Connection_ is no Connection', mustDie, get('Proxy_Connection: close', 'Keep_Alive: x'), 0, {
    gone: ['onnection', 'live'],
  }),
  entry(
    'credentials for a proxy',
    'RFC 9110, section 11.7.2',
    get('Proxy-Authorization: Basic YTpi', 'Proxy-Connection: keep-alive'),
    0,
    { gone: ['Proxy'] },
  ),
  entry('a proxy for programs', 'httpoxy (2016)', get('Proxy: http://b.example', 'proxy: x'), 0, { gone: ['roxy'] }),
  entry('TE of what we cannot read', 'RFC 9110, section 10.1.4', get('TE: trailers, deflate', 'Connection: TE'), 0, {
    gone: ['TE'],
  }),
  entry('TE of trailers', 'RFC 9110, section 10.1.4', get('TE: trailers', 'Connection: TE'), 0, {
    leaves: ['TE: trailers\r\n'],
  }),
];

const websocket = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
];
const upgrades = [
  entry(
    'h2c',
    h2c,
    get('Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA') + smuggled,
    0,
    { messages: 2, gone: ['h2c', 'HTTP2', 'pgrade'] },
  ),
  entry('h2c without the settings', h2c, get('Connection: Upgrade', 'Upgrade: h2c'), 0, { gone: ['h2c', 'pgrade'] }),
  entry('h2c in a list', h2c, get('Connection: Upgrade', 'Upgrade: websocket, h2c'), 0, { gone: ['h2c', 'pgrade'] }),
  entry('h2c in capitals', h2c, get('Connection: upgrade', 'Upgrade: H2C'), 0, { gone: ['H2C', 'pgrade'] }),
  entry(
    'h2c with a body',
    'what java.net.http sends',
    `${post('Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAM', 'Content-Length: 5')}hello`,
    0,
    { gone: ['h2c', 'pgrade'], leaves: ['\r\nContent-Length: 5\r\n'] },
  ),
  entry('an upgrade without Connection', h2c, get('Upgrade: websocket'), 0, { gone: ['pgrade'] }),
  entry('a Connection without upgrade', h2c, get('Connection: Upgrade'), 0, { gone: ['pgrade'] }),
  entry('an upgrade to nothing', h2c, get('Connection: Upgrade', 'Upgrade:'), 0, { gone: ['pgrade'] }),
  entry('two upgrades', h2c, get('Connection: Upgrade', 'Upgrade: websocket', 'Upgrade: h2c'), 0, {
    gone: ['h2c', 'pgrade'],
  }),
  entry('an upgrade with a length', 'node#60016', `${get(...websocket, 'Content-Length: 5')}hello`, 400),
  entry('an upgrade with chunks', 'node#60016', `${get(...websocket, 'Transfer-Encoding: chunked')}0\r\n\r\n`, 400),
  entry(
    'an upgrade in HTTP/1.0',
    'RFC 9110, section 7.8',
    message('GET / HTTP/1.0', 'Host: a.example', ...websocket),
    0,
    { gone: ['pgrade'] },
  ),
  entry(
    'an upgrade with a request behind it',
    'Mikhail Egorov, WebSocket smuggling (2019)',
    get(...websocket) + smuggled,
    0,
    { gone: ['smuggled'] },
  ),
];

/** @type {readonly Attack[]} */
export const smugglingRequests = [
  ...bothWays,
  ...codings,
  ...besideCodings,
  ...lengths,
  ...hiddenLengths,
  ...unseenLengths,
  ...chunkAttacks(post('Transfer-Encoding: chunked'), 400),
  ...expectations,
  ...hosts,
  ...requestLines,
  ...fieldLines,
  ...hops,
  ...upgrades,
];

const splitting = 'Response splitting and member faults';

function answer(...fields) {
  return message('HTTP/1.1 200 OK', ...fields);
}

const injected = 'HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\ninjected';

/** Answers to a GET of HTTP/1.1; `refused` is the status of the error, all of which become 502. */
/** @type {readonly Attack[]} */
export const smugglingResponses = [
  ...bothWays.map(({ name, source }) =>
    entry(`answer: ${name}`, source, `${answer(...name.split(', '))}0\r\n\r\n${injected}`, 400),
  ),
  ...Object.entries(codingLines).map(([name, line]) => {
    const bytes = `${answer('Content-Length: 6', line)}0\r\n\r\n${injected}`;
    if (otherwiseNamed.has(name))
      return entry(`answer, coding with a length: ${name}`, splitting, bytes, 0, { gone: ['injected', 'ncoding'] });
    return entry(`answer, coding with a length: ${name}`, splitting, bytes, 400);
  }),
  ...Object.entries(badLengths).map(([name, value]) =>
    entry(`answer, length: ${name}`, splitting, `${answer(`Content-Length: ${value}`)}hello${injected}`, 400),
  ),
  entry('answer: two lengths', rfc, `${answer('Content-Length: 5', 'Content-Length: 5')}hello`, 400),
  entry(
    'answer: chunked in HTTP/1.0',
    rfc,
    `${message('HTTP/1.0 200 OK', 'Transfer-Encoding: chunked')}0\r\n\r\n`,
    400,
  ),
  ...chunkAttacks(answer('Transfer-Encoding: chunked'), 400).map((each) => ({ ...each, name: `answer, ${each.name}` })),
  ...[
    ['CR in the reason', 'HTTP/1.1 200 OK\rSet-Cookie: a=b'],
    ['LF in the reason', 'HTTP/1.1 200 OK\nSet-Cookie: a=b'],
    ['NUL in the reason', 'HTTP/1.1 200 O\0K'],
    ['a status of two digits', 'HTTP/1.1 20 OK'],
    ['a status of four digits', 'HTTP/1.1 2000 OK'],
    ['a status below 100', 'HTTP/1.1 099 OK'],
    ['a status with a sign', 'HTTP/1.1 +20 OK'],
    ['no status', 'HTTP/1.1'],
    ['a tab for a blank', 'HTTP/1.1\t200 OK'],
    ['two blanks', 'HTTP/1.1  200 OK'],
    ['a tab behind the status', 'HTTP/1.1 200\tOK'],
    ['lower case', 'http/1.1 200 OK'],
    ['HTTP/2.0', 'HTTP/2.0 200 OK'],
    ['HTTP/1.2', 'HTTP/1.2 200 OK'],
    ['ICY', 'ICY 200 OK'],
    ['a blank before it', ' HTTP/1.1 200 OK'],
  ].map(([name, line]) => entry(`status line: ${name}`, splitting, message(line, 'Content-Length: 0') + injected, 502)),
  entry('an empty line before the answer', splitting, `\r\n${answer('Content-Length: 0')}`, 502),
  entry('HTTP/0.9 answer', splitting, '<html>hello</html>\r\n\r\n', 502),
  entry('LF ends the status line', splitting, 'HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n', 502),
  ...[
    ['CR in a value', 'X: y\rSet-Cookie: a=b'],
    ['LF in a value', 'X: y\nSet-Cookie: a=b'],
    ['two LF in a value', 'X: y\n\nhello'],
    ['NUL in a value', 'X: y\0'],
    ['a folded line', 'X: y\r\n Set-Cookie: a=b'],
    ['a blank before the colon', 'Content-Length : 5'],
    ['no name', ': 5'],
    ['no colon', 'Content-Length'],
  ].map(([name, line]) => entry(`answer, field: ${name}`, splitting, answer('Content-Length: 0', line), 400)),
  entry('204 with a body', splitting, `${message('HTTP/1.1 204 No Content', 'Content-Length: 5')}hello${injected}`, 0, {
    gone: ['hello', 'injected', 'Content-Length'],
  }),
  entry(
    '204 with chunks',
    splitting,
    `${message('HTTP/1.1 204 No Content', 'Transfer-Encoding: chunked')}5\r\nhello\r\n0\r\n\r\n`,
    0,
    { gone: ['hello', 'Transfer-Encoding'] },
  ),
  entry(
    '304 with a body',
    splitting,
    `${message('HTTP/1.1 304 Not Modified', 'Content-Length: 5')}hello${injected}`,
    0,
    { gone: ['hello', 'injected'], leaves: ['Content-Length: 5\r\n'] },
  ),
  entry('100 with a body', splitting, `${message('HTTP/1.1 100 Continue', 'Content-Length: 5')}hello`, 502, {
    messages: 1,
    gone: ['hello', 'Content-Length'],
  }),
  entry(
    '103 with chunks',
    splitting,
    `${message('HTTP/1.1 103 Early Hints', 'Transfer-Encoding: chunked')}5\r\nhello\r\n0\r\n\r\n`,
    502,
    { messages: 1, gone: ['hello', 'Transfer-Encoding'] },
  ),
  entry('an answer behind the answer', splitting, `${answer('Content-Length: 5')}hello${injected}`, 0, {
    gone: ['injected'],
  }),
  entry('an answer in an answer without length', splitting, answer('X: y') + injected, 0, {
    leaves: ['Transfer-Encoding: chunked\r\n'],
  }),
  entry(
    'a switch that nobody asked for',
    splitting,
    message('HTTP/1.1 101 Switching Protocols', 'Connection: Upgrade', 'Upgrade: h2c') + injected,
    502,
  ),
  entry('an offer to upgrade', splitting, answer('Connection: Upgrade', 'Upgrade: h2,h2c', 'Content-Length: 0'), 0, {
    gone: ['pgrade'],
  }),
  entry('two upgrades in an answer', splitting, answer('Upgrade: h2', 'Upgrade: h2c', 'Content-Length: 0'), 0, {
    gone: ['pgrade'],
  }),
  entry(
    'hop-by-hop fields',
    splitting,
    answer(
      'Connection: X-Hop, close',
      'X-Hop: 1',
      'Keep-Alive: timeout=5',
      'Proxy-Authenticate: Basic',
      'Content-Length: 0',
    ),
    0,
    { gone: ['Hop', 'Keep', 'Proxy', 'Connection'] },
  ),
  entry(
    'underscored framing',
    splitting,
    `${answer('Content-Length: 5', 'Content_Length: 6', 'Transfer_Encoding: chunked')}hello`,
    0,
    { gone: ['Content_', 'Transfer_'] },
  ),
  entry('a length with blanks', rfc, `${answer('Content-Length: \t5 ')}hello`, 0, {
    leaves: ['\r\nContent-Length: 5\r\n'],
  }),
];
