import { isHostName, isIp, isUnix } from './address.ts';
import { SpecError } from './errors.ts';

// biome-ignore lint/suspicious/noControlCharactersInRegex: refusing them is the point
const unixPath = /^unix:[^\u0000-\u001f\u007f-\u009f\u2028\u2029]+$/;

/** An IP literal, a host name, or `unix:` and the path of a Unix socket. */
export function address(value: unknown, path: string): string {
  if (typeof value === 'string') {
    if (isUnix(value) ? unixPath.test(value) : isIp(value) || isHostName(value)) return value;
  }
  throw new SpecError(path, value, "an IP address without brackets, a host name, or 'unix:' and a path");
}
