/** A row's finding: what the proxy did instead, in a few words that fit into a table. */
class Failure extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'Failure';
  }
}

export function fail(reason: string): never {
  throw new Failure(reason);
}

/** `reason` says what happened, not what should have. */
export function check(isAsItShould: boolean, reason: string): asserts isAsItShould {
  if (!isAsItShould) fail(reason);
}
