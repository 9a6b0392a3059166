import { check, fail } from './failure.ts';
import type { Arrival } from './member.ts';
import { type Answer, http, statusOf } from './message.ts';
import { Hung } from './progress.ts';
import type { Stage } from './stage.ts';
import type { Wire } from './wire.ts';

export const ok: string = `${http('HTTP/1.1 200 OK', 'Content-Length: 2')}ok`;

/** A GET with these fields. */
export function get(...fields: readonly string[]): string {
  return http('GET / HTTP/1.1', 'Host: a.example', ...fields);
}

/** A POST with these fields; what follows is its body. */
export function post(...fields: readonly string[]): string {
  return http('POST / HTTP/1.1', 'Host: a.example', ...fields);
}

/** A client sends a request, the member gets it and answers, the client gets that. */
export async function exchange(
  stage: Stage,
  request: string,
  answer: string = ok,
): Promise<Arrival & { readonly client: Wire; readonly answer: Answer }> {
  const client = await stage.client(request);
  const arrival = await stage.arrival(client);
  arrival.wire.send(answer);
  return { ...arrival, client, answer: await client.answer(arrival.request.line.split(' ')[0]) };
}

/** What a member answers to a request reaches another client as it is. */
export async function serves(stage: Stage, body = 'good'): Promise<Arrival> {
  const client = await stage.client(get());
  const arrival = await stage.arrival(client);
  arrival.wire.send(`${http('HTTP/1.1 200 OK', `Content-Length: ${body.length}`)}${body}`);
  const answer = await client.answer();
  check(answer.body === body, `the next client gets '${answer.body}'`);
  return arrival;
}

/** After an answer the client's connection is in step: nothing is left over, and where it is open it serves another request. */
export async function staysInStep(stage: Stage, client: Wire): Promise<void> {
  await stage.quiet();
  check(client.unread === '', `left over: '${client.unread.slice(0, 16)}'`);
  if (client.isOver) return;
  client.send(get());
  (await stage.arrival(client)).wire.send(ok);
  const { body } = await client.answer();
  check(body === 'ok', `out of step: '${body.slice(0, 16)}'`);
}

export interface Refusal {
  /** What evenkeel answers. */
  readonly status: number;
  /** Whether it is beyond doubt where the next request would start, so that the connection need not be closed. */
  readonly isClear: boolean;
}

/**
 * The proxy answers a message itself, passes on nothing of it and closes the connection, since nobody can tell what follows it.
 */
export async function refuses(stage: Stage, message: string, { status, isClear }: Refusal): Promise<void> {
  stage.member.answers(ok);
  const client = await stage.client(message);
  const hasAnswered = await stage.progress.eventually(() => client.head !== undefined || client.isOver);
  const answer = client.head === undefined ? undefined : statusOf(client.head);
  if (stage.member.received !== '') fail(`passed on${answer === undefined ? '' : `: ${answer}`}`);
  if (!hasAnswered) throw new Hung('no answer');
  isRefusal(stage, answer, status);
  if (!isClear || (stage.isExact && status === 400)) check(await client.ends(), `${answer}, but stays open`);
  // Also proves that the answer is well-formed, and the only one.
  await client.answer();
  check(client.unread === '', 'more than one answer');
  await stage.quiet();
  check(stage.member.received === '', 'passed on after all');
}

/**
 * The proxy finds a body wrong whose head it may have passed on: the client gets no answer of the member, and the member never a
 * whole request.
 */
export async function breaksOff(stage: Stage, message: string, status: number): Promise<void> {
  stage.member.answers(ok);
  const client = await stage.client(message);
  if (!(await client.ends()))
    fail(client.head === undefined ? 'waits for more' : `${statusOf(client.head)}, and stays open`);
  if (client.head !== undefined) isRefusal(stage, statusOf(client.head), status);
  else check(!stage.isExact, 'closed without an answer');
  const isLetGo = () => stage.member.wires.every(({ received, isOver }) => received === '' || isOver);
  check(await stage.progress.eventually(isLetGo), 'the member is left waiting');
  check(!stage.member.hasRequest, 'passed on as complete');
}

function isRefusal(stage: Stage, answer: number | undefined, status: number): void {
  if (answer === undefined) fail('closed without an answer');
  if (stage.isExact) check(answer === status, `${answer} instead of ${status}`);
  check((answer >= 400 && answer < 500) || answer === 501 || answer === 505, String(answer));
}

/** The proxy tells a client that its member is at fault, and nothing of what the member said. */
export async function blames(stage: Stage, client: Wire, status: number): Promise<void> {
  const hasAnswered = await stage.progress.eventually(() => client.finalHead !== undefined || client.isOver);
  if (!hasAnswered) throw new Hung('no answer');
  const is = client.finalHead === undefined ? fail('closed without an answer') : statusOf(client.finalHead);
  check(is >= 500, `passed on: ${is}`);
  if (stage.isExact) check(is === status, `${is} instead of ${status}`);
  await client.answer();
  check(!client.received.includes('evil'), `${is}, with something of it`);
}
