import type { LoadReport } from '../core/load-report.ts';

/**
 * What a member says of its load in the `endpoint-load-metrics` field of an answer, in the forms that Envoy takes:
 * `TEXT cpu_utilization=0.7, rps_fractional=120, eps=1` and `JSON {"cpu_utilization": 0.7, …}`. Undefined for anything else, since a
 * member that reports badly still serves.
 *
 * Source: xDS `OrcaLoadReport` (`xds/data/orca/v3/orca_load_report.proto`), Envoy's `source/common/orca/orca_parser.cc`; which
 * utilization counts is gRFC A58's rule: the application's, or the processor's where it does not tell.
 */
export function loadReportOf(value: string): LoadReport | undefined {
  const [form] = /^(?:TEXT|JSON) /.exec(value) ?? [];
  if (form === undefined) return undefined;
  const text = value.slice(form.length).trim();
  const figures = form === 'JSON ' ? fromJson(text) : fromText(text);
  if (figures === undefined) return undefined;
  const application = figures('application_utilization');
  return {
    utilization: application > 0 ? application : figures('cpu_utilization'),
    requestsPerSecond: figures('rps_fractional') || figures('rps'),
    errorsPerSecond: figures('eps'),
  };
}

/** A figure by its name in the proto; 0 where there is none. */
type Figures = (name: string) => number;

function fromText(text: string): Figures | undefined {
  const figures = new Map<string, number>();
  for (const pair of text.split(',')) {
    const [, name, figure] = /^\s*([\w.-]+)\s*[=:]\s*(\S+)\s*$/.exec(pair) ?? [];
    if (name === undefined) return undefined;
    figures.set(name, figureOf(Number(figure)));
  }
  return (name) => figures.get(name) ?? 0;
}

function fromJson(text: string): Figures | undefined {
  let report: unknown;
  try {
    report = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof report !== 'object' || report === null) return undefined;
  const values = report as Readonly<Record<string, unknown>>;
  // Protocol buffers write their fields' names either way.
  return (name) => figureOf(values[name] ?? values[camelCase(name)]);
}

function figureOf(value: unknown): number {
  return typeof value === 'number' && value > 0 && value < Number.POSITIVE_INFINITY ? value : 0;
}

function camelCase(name: string): string {
  return name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}
