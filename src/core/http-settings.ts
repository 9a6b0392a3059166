import { type ErrorAnswerer, plainErrorAnswer } from '../http1/error-answer.ts';
import { type InsertedHeader, type InsertHeadersSpec, noHeaders, readInsertHeaders } from '../http1/insert-headers.ts';
import { defaultLimits, type Limits, type LimitsSpec, limitsOver } from '../http1/limits.ts';
import { type CidrList, readCidrs } from './cidr-list.ts';
import { SpecError } from './errors.ts';
import { at, type Fields } from './spec.ts';

/** What only an HTTP virtual IP has. What an update does not name stays; `null` asks for the default. */
export interface HttpSettings {
  /**
   * Header fields that tell members about the client. In an update the whole list. Default: none. What clients send in these names
   * reaches members only from `trustedCidrs`, where it is added to, or kept.
   */
  readonly insertHeaders?: InsertHeadersSpec | null;
  /**
   * Blocks with clients that may speak for others, such as a front balancer: what they send as `X-Forwarded-For`, `-Port`, `-Proto`,
   * `Forwarded` and the like is believed. Default: nobody.
   */
  readonly trustedCidrs?: readonly string[] | null;
  /** What of a message is read, at most. */
  readonly limits?: LimitsSpec | null;
  /** Makes the body of the answers that are our own (400, 408, 502, 503, 504, …). Default: a line of text, or JSON. */
  readonly errorAnswer?: ErrorAnswerer | null;
}

/** Checked settings. */
export interface HttpConfig {
  readonly insertHeaders: ReadonlySet<InsertedHeader>;
  readonly trustedCidrs: CidrList;
  readonly limits: Limits;
  readonly errorAnswer: ErrorAnswerer;
}

export const httpSettingNames = ['insertHeaders', 'trustedCidrs', 'limits', 'errorAnswer'] as const;

const nobody: CidrList = { text: [], blocks: [] };

export const httpDefaults: HttpConfig = {
  insertHeaders: noHeaders,
  trustedCidrs: nobody,
  limits: defaultLimits,
  errorAnswer: plainErrorAnswer,
};

type HttpFields = Fields<(typeof httpSettingNames)[number]>;

/** What an update leaves of `current`: that itself where it names none of them. */
export function readHttpSettings(fields: HttpFields, current: HttpConfig): HttpConfig {
  if (!httpSettingNames.some((name) => fields.names(name))) return current;
  const { insertHeaders, trustedCidrs, limits, errorAnswer } = current;
  return {
    insertHeaders: fields.change('insertHeaders', readInsertHeaders, noHeaders, insertHeaders),
    trustedCidrs: fields.change('trustedCidrs', readCidrs, nobody, trustedCidrs),
    limits: fields.change('limits', limitsOver(limits), defaultLimits, limits),
    errorAnswer: fields.change('errorAnswer', readErrorAnswer, plainErrorAnswer, errorAnswer),
  };
}

/** What a virtual IP that does not speak HTTP says to what only HTTP has. */
export function refuseHttpSetting(value: unknown, path: string): never {
  throw new SpecError(path, value, "nothing: only a virtual IP with protocol 'http' has it");
}

/** What tells of a client's certificate needs `tls`. */
export function refuseTlsHeaders({ insertHeaders }: HttpConfig, path: string): void {
  for (const name of insertHeaders) {
    if (!name.startsWith('X-SSL-')) continue;
    throw new SpecError(at(at(path, 'insertHeaders'), name), true, 'nothing: only a virtual IP with tls has it');
  }
}

function readErrorAnswer(value: unknown, path: string): ErrorAnswerer {
  if (typeof value === 'function') return value as ErrorAnswerer;
  throw new SpecError(path, value, 'a function that makes an answer');
}
