import {
  defaultHost,
  HostModel,
  ifaceFlag,
  localFlag,
  parseHostFile,
  parseIpAddr,
  parseIpRoute,
  routeFlag,
  SourceError,
  type Span,
} from '@keepstate/engine';
import type { Given, OptionName } from './options.ts';
import { UsageError } from './trouble.ts';
import { readText } from './whole-file.ts';

function flags(
  given: Given,
  name: OptionName,
  host: HostModel,
  read: (host: HostModel, text: string, at: Span) => void,
): void {
  for (const text of given.all(name)) {
    try {
      read(host, text, { file: `--${name}`, line: 1, col: 1, len: text.length });
    } catch (error) {
      if (!(error instanceof SourceError)) throw error;
      const message = error.message.replace(/^--[a-z]+:1:\d+: /, '');
      throw new UsageError(`bad value '${text}' of --${name}: ${message}`);
    }
  }
}

/** Host files: YAML, or what `ip -j addr` and `ip -j route` print. */
function hostOfFiles(names: readonly string[]): HostModel | null {
  let host: HostModel | null = null;
  const dumps = names.map((name) => ({ name, text: readText(name) }));
  const isJson = (text: string): boolean => text.trimStart().startsWith('[');
  for (const { name, text } of dumps.filter((d) => !isJson(d.text))) {
    if (host !== null) throw new UsageError(`${name}: only one of the host files may be YAML`);
    host = parseHostFile(text, name);
  }
  const json = dumps.filter((d) => isJson(d.text));
  const isAddr = (text: string): boolean => text.includes('"ifname"');
  for (const { name, text } of json.filter((d) => isAddr(d.text))) {
    host ??= new HostModel();
    parseIpAddr(host, text, name);
  }
  for (const { name, text } of json.filter((d) => !isAddr(d.text))) {
    host ??= new HostModel();
    parseIpRoute(host, text, name);
  }
  return host;
}

/**
 * The host that --host, --iface, --route and --local describe.
 * @returns the default host, which says so of itself, if none of them is given
 * @throws UsageError, or SourceError for a host file
 */
export function hostOf(given: Given): HostModel {
  const described = (['host', 'iface', 'route', 'local'] as const).some((name) => given.has(name));
  if (!described) return defaultHost();
  const host = hostOfFiles(given.all('host')) ?? new HostModel();
  flags(given, 'iface', host, ifaceFlag);
  flags(given, 'route', host, routeFlag);
  flags(given, 'local', host, localFlag);
  return host;
}
