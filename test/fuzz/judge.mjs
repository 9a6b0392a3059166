import { METHODS } from 'node:http';
import { fieldsOf, linesOf, misforwarded } from './fields.mjs';
import { NodeServer, openClient, settled } from './node-peers.mjs';
import { relayRequests, relayResponses } from './relay.mjs';
import { objections } from './scrutiny.mjs';

/**
 * What is wrong with what a relay makes of bytes: whether it depends on how they are cut, whether what goes on can be read in one way
 * only, and whether Node's parser reads it as we do.
 *
 * @typedef {object} Case
 * @property {'requests' | 'responses'} kind
 * @property {string} text all that comes in on a connection
 * @property {readonly number[]} cuts where it is cut, in order
 * @property {readonly boolean[]} ahead which pieces come in while nobody reads
 * @property {import('./relay.mjs').RequestSettings & import('./relay.mjs').ResponseSettings} settings
 *
 * @typedef {object} Verdict
 * @property {string | undefined} finding
 * @property {number} forwarded how many messages went on, complete
 * @property {boolean} isRefused
 */
export class Judge {
  #codec;
  #server = new NodeServer();

  /** @param {import('./relay.mjs').Codec} codec */
  constructor(codec) {
    this.#codec = codec;
  }

  /**
   * @param {readonly Case[]} cases
   * @returns {Promise<Verdict[]>}
   */
  async judge(cases) {
    const trials = cases.map((each) => this.#begin(each));
    for (let step = 0; step < 3; step++) {
      await settled();
      for (const trial of trials) trial.steps[step]?.();
    }
    await settled();
    return trials.map(({ verdict, conclude }) => ({ ...verdict, finding: verdict.finding ?? conclude() }));
  }

  #begin(each) {
    const { kind, text, cuts, ahead, settings } = each;
    const relay = kind === 'requests' ? relayRequests : relayResponses;
    const pieces = piecesOf(text, cuts);
    let whole;
    let finding;
    try {
      whole = relay(this.#codec, [text], settings);
      finding =
        differentlyCut(whole, relay(this.#codec, pieces, { ...settings, ahead }), pieces) ?? askew(whole, settings);
    } catch (cause) {
      finding = `threw ${cause.stack}`;
    }
    const forwarded = whole?.messages.filter(({ isComplete }) => isComplete).length ?? 0;
    const verdict = { finding, forwarded, isRefused: whole?.error !== undefined };
    if (finding !== undefined) return { verdict, steps: [], conclude: () => undefined };
    return {
      verdict,
      ...(kind === 'requests' ? this.#readRequests(whole, text) : readResponses(whole, text, settings)),
    };
  }

  #readRequests({ messages }, text) {
    // A method that Node does not know it refuses, and nothing after it can be compared.
    const unknown = messages.findIndex(({ method }) => !METHODS.includes(method));
    const known = unknown < 0 ? messages : messages.slice(0, unknown);
    const read = this.#server.open(known.map(({ out }) => out).join(''));
    const readRaw = this.#server.open(text);
    const conclude = () => {
      const raw = readRaw();
      return readDifferently(known, read()) ?? (leftOut.test(text) ? undefined : moreLenient(known, raw));
    };
    return { steps: [], conclude };
  }
}

function readResponses({ messages }, raw, { isForHead = false }) {
  const seen = messages.filter(({ out }) => out !== '');
  const text = seen.map(({ out }) => out).join('');
  const final = seen.at(-1);
  const isFinal = final?.isComplete === true && (final.status >= 200 || final.status === 101);
  const endsWithConnection = isFinal && final.framing === 'close';
  const client = openClient(isForHead ? 'HEAD' : 'GET');
  const rawClient = openClient(isForHead ? 'HEAD' : 'GET');
  let early;
  const steps = [
    () => {
      client.push(text.slice(0, isFinal && !endsWithConnection ? -1 : text.length));
      rawClient.push(raw);
    },
    () => {
      if (isFinal)
        early = client
          .read()
          .messages.filter(({ status }) => status >= 200 || status === 101)
          .at(-1);
      if (isFinal && !endsWithConnection) client.push(text.slice(-1));
    },
    () => {
      if (endsWithConnection) client.end();
      rawClient.end();
    },
  ];
  const conclude = () => {
    const reading = client.read();
    const rawReading = rawClient.read();
    client.close();
    rawClient.close();
    if (early?.isComplete) return 'Node thinks an answer complete before it ends';
    return (
      readDifferently(seen, reading) ?? (leftOut.test(raw) ? undefined : moreLenientWithAnswers(messages, rawReading))
    );
  };
  return { steps, conclude };
}

function piecesOf(text, cuts) {
  const ends = [...cuts, text.length];
  return ends.map((end, index) => text.slice(index === 0 ? 0 : ends[index - 1], end));
}

/** What there is in pieces must be what there is in one. */
function differentlyCut(whole, cut, pieces) {
  if (whole.messages.length !== cut.messages.length)
    return `${whole.messages.length} messages, cut ${cut.messages.length}`;
  for (const [index, message] of whole.messages.entries()) {
    const other = cut.messages[index];
    if (message.isComplete !== other.isComplete)
      return `message ${index} is complete: ${message.isComplete}, cut ${other.isComplete}`;
    if (message.head !== other.head) return `head ${index} is different when it is cut`;
    const isPart = !message.isComplete && (message.body.startsWith(other.body) || other.body.startsWith(message.body));
    if (!isPart && message.body !== other.body) return `body ${index} is different when it is cut`;
    if (message.trailer !== other.trailer) return `trailer ${index} is different when it is cut`;
  }
  if (whole.error?.reason === cut.error?.reason && whole.error?.status === cut.error?.status) return undefined;
  // A line that is not complete is not looked at again.
  if (cut.error === undefined && !pieces.at(-1).includes('\n')) return undefined;
  return `refused: ${whole.error?.reason}, cut ${cut.error?.reason}`;
}

function askew({ messages }, settings) {
  for (const message of messages) {
    if (message.out === '') continue;
    const { status, framing, isComplete } = message;
    const wrong = misforwarded(message, settings);
    if (wrong !== undefined) return wrong;
    if (!isComplete) continue;
    const response =
      status === 0 ? undefined : { status, isForHead: settings.isForHead, endsWithConnection: framing === 'close' };
    const objection = objections(message.out, response)[0];
    if (objection !== undefined) return `goes on with ${objection}`;
  }
  return undefined;
}

/** What Node has read must be what we have read. */
function readDifferently(messages, { messages: read, error }) {
  if (error !== undefined) return `Node refuses it: ${error}`;
  if (messages.length !== read.length) return `${messages.length} messages, Node reads ${read.length}`;
  for (const [index, message] of messages.entries()) {
    const told = difference(message, read[index]);
    if (told !== undefined) return `Node reads message ${index} otherwise: ${told}`;
  }
  return undefined;
}

/**
 * Chunk extensions and trailers, which are left out or looked through when they go on, need not be as Node likes them; nor need
 * tabs behind what is spelled anew.
 */
const leftOut = /\n[0-9a-f]+;|\n0+\r\n[^\r]|\t[ \t]*\r\n/i;

/**
 * What Node's parser would not have taken from a client should not be taken by us either: whoever stands between us and the client may
 * have read it otherwise than we do.
 */
function moreLenient(messages, { messages: read, error }) {
  for (const [index, { method, body, isComplete, fields, minorVersion }] of messages.entries()) {
    if (!isComplete) return undefined;
    const other = read[index];
    if (other?.isComplete !== true) return `more lenient than Node: ${error}`;
    if (other.method !== method || other.body !== body)
      return `Node reads what came in otherwise: ${other.method} ${JSON.stringify(other.body)}`;
    // Node reads nothing more behind it.
    const options = fields.map(([name, value]) => `${name}: ${value}`).join('\n');
    if (minorVersion === 0 || /^connection:.*(?:close|upgrade)/im.test(options)) return undefined;
  }
  return undefined;
}

function moreLenientWithAnswers(messages, { messages: read, error }) {
  // Node does not expect an answer behind an interim one that says `close`.
  if (error === 'HPE_CLOSED_CONNECTION') return undefined;
  for (const [index, { status, body, isComplete }] of messages.entries()) {
    if (!isComplete) return undefined;
    const other = read[index];
    if (other?.isComplete !== true) return `more lenient with an answer than Node: ${error}`;
    if (other.status !== status || other.body !== body)
      return `Node reads the answer that came in otherwise: ${other.status} ${JSON.stringify(other.body)}`;
  }
  return undefined;
}

function difference(message, read) {
  const start = message.head.slice(0, message.head.indexOf('\r\n'));
  const told =
    message.status === 0
      ? `${read.method} ${read.target} HTTP/${read.version}`
      : `HTTP/${read.version} ${read.status} ${read.reason}`;
  if (start !== told) return `${JSON.stringify(start)} as ${JSON.stringify(told)}`;
  if (message.isComplete !== read.isComplete) return `complete ${message.isComplete} as ${read.isComplete}`;
  if (message.isComplete && message.body !== read.body)
    return `${JSON.stringify(message.body)} as ${JSON.stringify(read.body)}`;
  return (
    listedOtherwise(fieldsOf(message.head), read.rawHeaders) ??
    (message.isComplete ? listedOtherwise(linesOf(message.trailer), read.rawTrailers) : undefined)
  );
}

function listedOtherwise(fields, raw) {
  const flat = fields.flat();
  if (flat.length === raw.length && flat.every((text, index) => text === raw[index])) return undefined;
  return `${JSON.stringify(flat)} as ${JSON.stringify(raw)}`;
}
