// The real programs the scenarios run, and where Debian and Ubuntu keep them.

import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';

/** Program name -> the apt package that holds it. Every program a scenario `needs` stands here. */
export const APT_PACKAGE: Readonly<Record<string, string>> = {
  atftp: 'atftp',
  atftpd: 'atftpd',
  curl: 'curl',
  dig: 'bind9-dnsutils',
  dnsmasq: 'dnsmasq-base',
  ethtool: 'ethtool',
  ftp: 'tnftp',
  ip: 'iproute2',
  iperf3: 'iperf3',
  lftp: 'lftp',
  mount: 'mount',
  ngircd: 'ngircd',
  nginx: 'nginx',
  ping: 'iputils-ping',
  pptp: 'pptp-linux',
  pptpd: 'pptpd',
  setpriv: 'util-linux',
  sipp: 'sip-tester',
  snmpd: 'snmpd',
  snmpget: 'snmp',
  ssh: 'openssh-client',
  'ssh-keygen': 'openssh-client',
  sshd: 'openssh-server',
  tcpdump: 'tcpdump',
  traceroute: 'traceroute',
  vsftpd: 'vsftpd',
};

/** What the topology and the capture themselves need, whatever the scenario. */
export const BASE_PROGRAMS: readonly string[] = ['ip', 'ethtool', 'tcpdump', 'mount', 'setpriv'];

// Servers live in /usr/sbin, which is not in everybody's PATH.
const FOLDERS = [
  ...new Set([
    ...(process.env.PATH ?? '').split(':').filter(Boolean),
    '/usr/sbin',
    '/sbin',
    '/usr/bin',
    '/bin',
  ]),
];

/** The absolute path of a program, or null. sshd insists on being started by an absolute path. */
export function which(program: string): string | null {
  for (const folder of FOLDERS) {
    const path = join(folder, program);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // not in this folder
    }
  }
  return null;
}

/** Those of `programs` that are not installed, each once, in the order given. */
export function missingPrograms(programs: readonly string[]): string[] {
  return [...new Set(programs)].filter((program) => which(program) === null);
}

/** "dig, nginx missing: apt-get install bind9-dnsutils nginx" */
export function missingText(missing: readonly string[]): string {
  const packages = [...new Set(missing.map((program) => APT_PACKAGE[program] ?? program))];
  return `${missing.join(', ')} missing: apt-get install ${packages.join(' ')}`;
}
