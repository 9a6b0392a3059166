import { someHop } from './relay.mjs';

/**
 * What must become of each field of a message that goes on, written down a second time: as a rule for names, where the codec has
 * tables of kinds.
 */

/** Of this hop, or made anew: whatever came in under these names is gone, but for what stands behind all other fields. */
const ours = ['connection', 'keep-alive', 'te', 'upgrade', 'transfer-encoding', 'content-length'];
const secret = [
  'proxy-connection',
  'proxy-authorization',
  'proxy-authenticate',
  'proxy-authentication-info',
  'http2-settings',
  'proxy',
];
/** Whether they stay depends on more than their names. */
const conditional = ['expect', 'trailer'];
const claims = ['forwarded', 'x-forwarded', 'x-real-ip', 'x-client-ip', 'x-cluster-client-ip', 'client-ip'];
/** What `Connection` cannot take out. */
const unremovable = ['host', 'via', 'x-request-id', ...claims, ...conditional, ...ours, ...secret];
/** What punctuation in a name must not stand for. */
const noAlias = [...unremovable, ...conditional, 'accept'];

function isClaim(name) {
  return claims.includes(name) || name.startsWith('x-forwarded-');
}

/**
 * @param {import('./relay.mjs').RelayedMessage} message
 * @param {{ isTrusted?: boolean, inserts?: readonly string[] }} settings
 * @returns {string | undefined} what is wrong with the fields that go on
 */
export function misforwarded(message, settings) {
  const isRequest = message.status === 0;
  const inserted = isRequest ? (settings.inserts ?? []).map((name) => name.toLowerCase()) : [];
  const named = new Set();
  for (const [name, value] of message.fields) {
    if (name.toLowerCase() === 'connection')
      for (const option of value.split(',')) named.add(option.trim().toLowerCase());
  }
  const mayChange = (name) => conditional.includes(name) || ours.includes(name) || inserted.includes(name);
  const goes = (name) => {
    const read = name.replaceAll(/[^a-z0-9]/g, '-');
    if (read !== name && (noAlias.includes(read) || (isClaim(read) && !isClaim(name)))) return true;
    if (secret.includes(name)) return true;
    if (isRequest && settings.isTrusted !== true && isClaim(name)) return true;
    return named.has(name) && !unremovable.includes(name) && !name.startsWith('x-forwarded-');
  };
  const came = message.fields.map(([name, value]) => [name.toLowerCase(), value]);
  const gone = fieldsOf(message.head).map(([name, value]) => [name.toLowerCase(), value]);
  const stay = came.filter(([name]) => !mayChange(name) && !goes(name));
  const stayed = gone.filter(([name]) => !mayChange(name));
  if (isRequest && !came.some(([name]) => name === 'host'))
    stay.push(['host', stayed.find(([name]) => name === 'host')?.[1] ?? '']);
  if (!alike(stay, stayed)) return `fields ${JSON.stringify(stay)} went on as ${JSON.stringify(stayed)}`;
  return isRequest && settings.isTrusted !== true ? spoofed(gone, inserted) : undefined;
}

const told = {
  'x-forwarded-for': someHop.clientAddress,
  'x-forwarded-port': `${someHop.localPort}`,
  'x-forwarded-proto': someHop.protocol,
  forwarded: `for=${someHop.clientAddress};proto=${someHop.protocol}`,
  'x-request-id': 'made-up',
};

function spoofed(fields, inserted) {
  for (const name of inserted) {
    const values = fields.filter((field) => field[0] === name).map((field) => field[1]);
    if (values.length !== 1) return `${name}: ${values.join(' and ')}`;
    if (told[name] !== undefined && values[0] !== told[name]) return `${name}: ${values[0]}`;
  }
  return undefined;
}

/**
 * @param {string} head with its blank line
 * @returns {[name: string, value: string][]}
 */
export function fieldsOf(head) {
  return linesOf(head.slice(head.indexOf('\r\n') + 2, -2));
}

/** @param {string} lines each with its CR and LF */
export function linesOf(lines) {
  return lines
    .split('\r\n')
    .slice(0, -1)
    .map((line) => [line.slice(0, line.indexOf(':')), trimmed(line.slice(line.indexOf(':') + 1))]);
}

function trimmed(value) {
  return value.replace(/^[ \t]+|[ \t]+$/g, '');
}

function alike(one, other) {
  return (
    one.length === other.length &&
    one.every(([name, value], index) => name === other[index][0] && value === other[index][1])
  );
}
