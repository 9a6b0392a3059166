/**
 * Whether a message that goes on can be read in one way only: written down a second time, from RFC 9110 and 9112 and with regular
 * expressions on the whole, so that it shares no code and no thought with the codec.
 */

const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const line = new RegExp(
  `^(${token}):[ \\t]*((?:[\\x21-\\x7e\\x80-\\xff](?:[\\t\\x20-\\x7e\\x80-\\xff]*[\\x21-\\x7e\\x80-\\xff])?)?)[ \\t]*$`,
);
const requestLine = new RegExp(`^(${token}) (/[\\x21-\\x22\\x24-\\x7e]*|\\*) HTTP/1\\.1$`);
const statusLine = /^HTTP\/1\.1 ([1-9]\d\d) [\t\x20-\x7e\x80-\xff]*$/;
const hostValue = /^(?:\[[0-9a-f:.]+\]|[a-z0-9._~!$&'()*+;=-]*)(?::\d*)?$/i;

/** Of one hop only, or never for a member's eyes. */
const neverForwarded = [
  'keep-alive',
  'proxy-connection',
  'proxy-authorization',
  'proxy-authenticate',
  'proxy-authentication-info',
  'http2-settings',
  'proxy',
];
/** What CGI makes of a name, where any punctuation may become a hyphen, must not mean anything else than the name. */
const spelledWithHyphens = [
  'content-length',
  'transfer-encoding',
  'keep-alive',
  'x-request-id',
  'x-real-ip',
  'x-client-ip',
  'x-cluster-client-ip',
  'client-ip',
  'x-forwarded',
  'proxy-connection',
  'proxy-authorization',
];
const neverInTrailers = [
  'host',
  'content-length',
  'transfer-encoding',
  'connection',
  'trailer',
  'te',
  'upgrade',
  'expect',
  'authorization',
  'cookie',
  'set-cookie',
  'content-type',
  'content-encoding',
  'content-range',
  'cache-control',
  'location',
  'forwarded',
  'via',
];

/**
 * @param {string} text a message, complete
 * @param {{ status?: number, isForHead?: boolean, endsWithConnection?: boolean }} [response] undefined for a request
 * @returns {string[]} what is wrong with it
 */
export function objections(text, response) {
  const wrong = [];
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return ['no head'];
  const [start = '', ...lines] = text.slice(0, end).split('\r\n');
  if (!(response === undefined ? requestLine : statusLine).test(start))
    wrong.push(`start line ${JSON.stringify(start)}`);
  const fields = fieldsOf(lines, wrong);
  const valuesOf = (name) => fields.filter((field) => field[0] === name).map((field) => field[1]);
  for (const name of neverForwarded) if (valuesOf(name).length > 0) wrong.push(`a hop-by-hop field ${name}`);
  for (const [name] of fields) {
    const read = name.replaceAll(/[^a-z0-9]/g, '-');
    const isClaim = read.startsWith('x-forwarded-') && !name.startsWith('x-forwarded-');
    if (name !== read && (spelledWithHyphens.includes(read) || isClaim)) wrong.push(`an alias ${name}`);
  }
  const body = text.slice(end + 4);
  if (response === undefined) scrutiniseRequest(start, valuesOf, wrong);
  else scrutiniseResponse(response, valuesOf, wrong);
  scrutiniseBody(body, valuesOf, response, wrong);
  return wrong;
}

/**
 * @param {readonly string[]} lines
 * @returns {[name: string, value: string][]} names in lower case
 */
function fieldsOf(lines, wrong) {
  const fields = [];
  for (const each of lines) {
    const match = line.exec(each);
    if (match === null) wrong.push(`a line ${JSON.stringify(each)}`);
    else fields.push([match[1].toLowerCase(), match[2]]);
  }
  return fields;
}

function scrutiniseRequest(start, valuesOf, wrong) {
  const hosts = valuesOf('host');
  if (hosts.length !== 1 || !hostValue.test(hosts[0])) wrong.push(`hosts ${JSON.stringify(hosts)}`);
  if (start.startsWith('CONNECT ')) wrong.push('CONNECT');
  if (start.includes(' * ') && !start.startsWith('OPTIONS ')) wrong.push('an asterisk');
  const [connection, te, upgrade] = [valuesOf('connection'), valuesOf('te'), valuesOf('upgrade')];
  const said = [connection, te, upgrade].join(';');
  if (said !== ';;' && said !== 'TE;trailers;' && said !== `Upgrade;;${upgrade[0]}`)
    wrong.push(`connection options ${said}`);
  if (upgrade.length > 0) {
    if (upgrade[0] === '' || /h2c/i.test(upgrade[0])) wrong.push(`an upgrade to ${upgrade[0]}`);
    if (valuesOf('transfer-encoding').length > 0 || valuesOf('content-length').some((value) => value !== '0')) {
      wrong.push('an upgrade with a body');
    }
  }
  if (valuesOf('expect').some((value) => value.toLowerCase() !== '100-continue')) wrong.push('an expectation');
}

function scrutiniseResponse({ status = 200 }, valuesOf, wrong) {
  if (valuesOf('te').length > 0) wrong.push('TE');
  const connection = valuesOf('connection');
  if (connection.length > 1) wrong.push('several Connection');
  const isUpgrade = status === 101 || status === 426;
  if (valuesOf('upgrade').length > 0 !== (isUpgrade && valuesOf('upgrade').length > 0)) wrong.push('Upgrade');
  if (status < 200 || status === 204) {
    if (valuesOf('content-length').length + valuesOf('transfer-encoding').length > 0)
      wrong.push(`framing in ${status}`);
  }
}

function scrutiniseBody(body, valuesOf, response, wrong) {
  const lengths = valuesOf('content-length');
  const codings = valuesOf('transfer-encoding');
  if (lengths.length + codings.length > 1) wrong.push(`framed twice: ${lengths} ${codings}`);
  if (lengths.some((value) => !/^(?:0|[1-9]\d*)$/.test(value))) wrong.push(`length ${lengths}`);
  if (codings.some((value) => value !== 'chunked')) wrong.push(`coding ${codings}`);
  if (wrong.length > 0) return;
  const { status = 200, isForHead = false, endsWithConnection = false } = response ?? {};
  const hasNone = response !== undefined && (isForHead || status < 200 || status === 204 || status === 304);
  if (hasNone) {
    if (body !== '') wrong.push('a body where there is none');
  } else if (codings.length > 0) {
    scrutiniseChunks(body, wrong);
  } else if (lengths.length > 0) {
    if (body.length !== Number(lengths[0])) wrong.push(`${body.length} bytes of ${lengths[0]}`);
  } else if (response === undefined) {
    if (body !== '') wrong.push('a body that nothing announces');
  } else if (!endsWithConnection) {
    wrong.push('a body without an end');
  }
}

function scrutiniseChunks(body, wrong) {
  let rest = body;
  for (;;) {
    const match = /^([0-9A-Fa-f]{1,13})\r\n/.exec(rest);
    if (match === null) return void wrong.push(`a chunk ${JSON.stringify(rest.slice(0, 40))}`);
    const size = Number.parseInt(match[1], 16);
    rest = rest.slice(match[0].length);
    if (size === 0) break;
    if (rest.slice(size, size + 2) !== '\r\n') return void wrong.push(`the end of a chunk of ${size}`);
    rest = rest.slice(size + 2);
  }
  if (rest === '\r\n') return;
  if (!rest.endsWith('\r\n\r\n')) return void wrong.push('no end of the trailer');
  for (const [name] of fieldsOf(rest.slice(0, -4).split('\r\n'), wrong)) {
    if (neverInTrailers.includes(name.replaceAll(/[^a-z0-9]/g, '-')) || name.startsWith('x-forwarded-'))
      wrong.push(`${name} in a trailer`);
  }
}
