import { type Firewall, type Settings, SysctlError } from '@keepstate/engine';
import type { SysctlValue } from '../control/protocol.ts';

/** The name of a sysctl as sysctl(8) shows it. */
function fullName(name: string): string {
  return name.startsWith('net.') ? name : `net.netfilter.${name}`;
}

/** Sysctls that only show something. */
function shown(firewall: Firewall): readonly SysctlValue[] {
  return [
    { name: 'net.netfilter.nf_conntrack_count', value: firewall.conntrack.table.count },
    // The table grows as it fills: as many as there may be flows, which is the kernel's own ratio.
    { name: 'net.netfilter.nf_conntrack_buckets', value: firewall.settings.get('nf_conntrack_max') },
  ];
}

/** Every sysctl of a running instance, by name. */
export function allSysctls(firewall: Firewall): readonly SysctlValue[] {
  const { settings } = firewall;
  const values = settings.entries().map(({ sysctl, value }) => ({ name: fullName(sysctl.name), value }));
  return [...values, ...shown(firewall)].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The canonical name of a sysctl, by any name that a kernel generation gave it. @throws SysctlError */
function nameOf(settings: Settings, name: string): string {
  return fullName(settings.nameOf(name));
}

/** One sysctl. @throws SysctlError if there is none of that name */
export function oneSysctl(firewall: Firewall, name: string): SysctlValue {
  const plain = name.replaceAll('/', '.').replace(/^\.?(proc\.sys\.)?/, '');
  const only = shown(firewall).find((one) => one.name === plain || one.name === `net.netfilter.${plain}`);
  if (only !== undefined) return only;
  const { settings } = firewall;
  return { name: nameOf(settings, name), value: settings.get(name) };
}

/** Sets a sysctl. @throws SysctlError for an unknown name, or a value that the kernel would refuse */
export function setSysctl(firewall: Firewall, name: string, value: string | number): SysctlValue {
  if (/nf_conntrack_(count|buckets)$/.test(name))
    throw new SysctlError(`sysctl '${name}' cannot be set: it only shows what is there`);
  firewall.settings.set(name, value);
  return oneSysctl(firewall, name);
}
