/** A request that gets an answer of the balancer's own. */
export interface FailedRequest {
  /** 400 to 505. */
  readonly status: number;
  /** What is wrong, in words. */
  readonly reason: string;
  /** Undefined where the request could not be read so far. */
  readonly method: string | undefined;
  readonly target: string | undefined;
  /** What the client would like to get. */
  readonly accept: string | undefined;
  /** With 429: seconds, from 1 up, until the client may ask again. Undefined where nobody knows. */
  readonly retryAfter?: number | undefined;
}

/** The answer to it. Framing, `Connection` and, unless they are given, `Date` and `Retry-After` are not its business. */
export interface ErrorAnswer {
  /** Default: none. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Default: empty. */
  readonly body?: string | Uint8Array;
}

export type ErrorAnswerer = (request: FailedRequest) => ErrorAnswer;

/** The reasons that belong to the statuses that we answer with (RFC 9110, section 15). */
export const reasons: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  414: 'URI Too Long',
  417: 'Expectation Failed',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
  505: 'HTTP Version Not Supported',
};

/** A line of text, or JSON where the client would rather have that. */
export const plainErrorAnswer: ErrorAnswerer = ({ status, reason, accept }) => {
  const title = reasons[status] ?? 'Error';
  if (accept !== undefined && quality(accept, 'application', 'json') > quality(accept, 'text', 'plain')) {
    return {
      headers: { 'Content-Type': 'application/json' },
      body: `${JSON.stringify({ status, error: title, reason })}\n`,
    };
  }
  return { headers: { 'Content-Type': 'text/plain; charset=utf-8' }, body: `${status} ${title}: ${reason}\n` };
};

/** How much a client likes a media type, 0 to 1: RFC 9110, section 12.5.1, where the most specific range counts. */
function quality(accept: string, type: string, subtype: string): number {
  let best = 0;
  let bestRank = -1;
  for (const entry of accept.split(',')) {
    const [range = '', ...parameters] = entry.split(';').map((part) => part.trim().toLowerCase());
    const rank = [`*/*`, `${type}/*`, `${type}/${subtype}`].indexOf(range);
    if (rank <= bestRank) continue;
    bestRank = rank;
    const weight = parameters.find((parameter) => parameter.startsWith('q='));
    const value = weight === undefined ? 1 : Number(weight.slice(2));
    best = value >= 0 && value <= 1 ? value : 0;
  }
  return best;
}
