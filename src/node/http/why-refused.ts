import type { RefusalReason } from '../../core/refusal.ts';

const refusals: Readonly<Partial<Record<RefusalReason, string>>> = {
  disabled: 'the service is disabled',
  'members-full': 'every member is busy',
  'circuit-limits': 'every member is busy',
  'queue-full': 'every member is busy',
  'queue-timeout': 'every member is busy',
  'concurrency-limit': 'the service is busy',
  panic: 'too few members are healthy',
  'retry-budget': 'no member could be reached',
  'retries-exhausted': 'no member could be reached',
};

/** What a client is told of why it gets no member. */
export function whyRefused(reason: RefusalReason): string {
  return refusals[reason] ?? 'no member is available';
}
