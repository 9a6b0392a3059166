import { isHostName } from '../core/address.ts';
import { SpecError } from '../core/errors.ts';
import { at } from '../core/spec.ts';
import { distinctList } from './distinct-list.ts';

const wildcard = '*.';

function readServerName(value: unknown, path: string): string {
  const text = typeof value === 'string' ? value : '';
  if (!isHostName(text.startsWith(wildcard) ? text.slice(wildcard.length) : text)) {
    throw new SpecError(path, value, "a host name such as 'a.example', or '*.a.example' for the names right below it");
  }
  return (text.endsWith('.') ? text.slice(0, -1) : text).toLowerCase();
}

/**
 * Reads the names that something is chosen by with SNI: host names, of which `*.a.example` stands for every name with one label more,
 * as in certificates (RFC 6125, section 6.4.3), not for `a.example` itself. Case and a dot at the end mean nothing; names that are
 * not ASCII are to be given as they are in DNS (`xn--…`).
 *
 * @throws SpecError where it is no list, has no name, has one twice, or one that is none: IP addresses are never sent
 */
export const readServerNames: (value: unknown, path: string) => readonly string[] = distinctList(
  readServerName,
  'name',
);

/** What a client is led to by the name that it asks for. */
export interface ServerNameRoute<Target extends object> {
  /** As `readServerNames` gives them. */
  readonly serverNames: readonly string[];
  /** Where given, only for clients that offer one of these protocols with ALPN, as `readAlpn` gives them. */
  readonly alpn?: readonly string[] | undefined;
  readonly target: Target;
}

/** What one name leads to. */
interface Choice<Target> {
  readonly byProtocol: Map<string, Target>;
  otherwise: Target | undefined;
}

/**
 * Finds what a server name leads to, with two look-ups however many names there are, and one more for each protocol that the client
 * offers where routes go by protocol. The order of the routes means nothing:
 *
 * 1. the name itself comes before the wildcard above it;
 * 2. of the same name, a route for a protocol comes before the route for all; with several, the client's preference decides.
 */
export class ServerNames<Target extends object> {
  /** By name, wildcards with their star. */
  readonly #choices = new Map<string, Choice<Target>>();

  /**
   * @param path where the routes are in the spec
   * @throws SpecError where two routes have the same name for the same protocol, or for all
   */
  constructor(routes: readonly ServerNameRoute<Target>[], path: string) {
    const owners = new Map<string, string>();
    for (const [index, { serverNames, alpn, target }] of routes.entries()) {
      const names = at(at(path, index), 'serverNames');
      for (const [position, name] of serverNames.entries()) {
        const choice = this.#choiceFor(name);
        for (const protocol of alpn ?? [undefined]) {
          // Neither names nor protocols have blanks.
          const key = `${name} ${protocol ?? ''}`;
          const owner = owners.get(key);
          if (owner !== undefined) {
            const protocolToo = protocol === undefined ? '' : ` for the protocol '${protocol}'`;
            throw new SpecError(at(names, position), name, `another name than ${owner}${protocolToo}`);
          }
          owners.set(key, at(names, position));
          if (protocol === undefined) choice.otherwise = target;
          else choice.byProtocol.set(protocol, target);
        }
      }
    }
  }

  /**
   * @param serverName as a ClientHello gives it, lower case
   * @param alpn what the client offers, best first
   * @returns undefined where no route fits, or the client asks for no name
   */
  find(serverName: string | undefined, alpn: readonly string[] = []): Target | undefined {
    if (serverName === undefined) return undefined;
    const found = choose(this.#choices.get(serverName), alpn);
    if (found !== undefined) return found;
    const dot = serverName.indexOf('.');
    return dot < 0 ? undefined : choose(this.#choices.get(`*${serverName.slice(dot)}`), alpn);
  }

  #choiceFor(name: string): Choice<Target> {
    const known = this.#choices.get(name);
    if (known !== undefined) return known;
    const choice: Choice<Target> = { byProtocol: new Map(), otherwise: undefined };
    this.#choices.set(name, choice);
    return choice;
  }
}

function choose<Target>(choice: Choice<Target> | undefined, alpn: readonly string[]): Target | undefined {
  if (choice === undefined) return undefined;
  if (choice.byProtocol.size > 0) {
    for (const protocol of alpn) {
      const target = choice.byProtocol.get(protocol);
      if (target !== undefined) return target;
    }
  }
  return choice.otherwise;
}
