/**
 * What is asked of an HTTP proxy: RFC 9110 and 9112, and what it takes beyond them to be no help to whoever smuggles requests. The
 * same rows judge evenkeel in its tests and, in the report, evenkeel beside other proxies.
 */
import type { Group } from './row.ts';
import { answerBodies } from './rows/answer-bodies.ts';
import { answerFields } from './rows/answer-fields.ts';
import { brokenAnswers } from './rows/broken-answers.ts';
import { brokenBodies } from './rows/broken-bodies.ts';
import { endings } from './rows/endings.ts';
import { forwarding } from './rows/forwarding.ts';
import { interimAnswers } from './rows/interim-answers.ts';
import { leftovers } from './rows/leftovers.ts';
import { refusedRequests } from './rows/refused-requests.ts';
import { requestBodies } from './rows/request-bodies.ts';
import { requestFields } from './rows/request-fields.ts';
import { trailers } from './rows/trailers.ts';
import { upgrades } from './rows/upgrades.ts';

export const groups: readonly Group[] = [
  requestFields,
  answerFields,
  trailers,
  interimAnswers,
  refusedRequests,
  brokenBodies,
  requestBodies,
  answerBodies,
  upgrades,
  forwarding,
  endings,
  leftovers,
  brokenAnswers,
];
