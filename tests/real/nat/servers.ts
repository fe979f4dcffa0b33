// Servers that only these scenarios have, each with its whole configuration in the network's folder.

import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { type Network, SERVER4 } from '../network.ts';
import type { Program } from '../process.ts';

/** atftpd on port 69 with `hello.txt` to fetch; stores what it is sent. */
export function startTftpd(network: Network): Promise<Program> {
  const folder = network.path('tftp');
  mkdirSync(folder, { recursive: true });
  chmodSync(folder, 0o777);
  writeFileSync(`${folder}/hello.txt`, 'boot '.repeat(400));
  chmodSync(`${folder}/hello.txt`, 0o666);
  writeFileSync(`${folder}/in`, '');
  chmodSync(`${folder}/in`, 0o666);
  const argv = ['atftpd', '--daemon', '--no-fork', '--user', 'root.root', '--logfile', '-', folder];
  return network.serve('server', argv, [{ proto: 'udp', port: 69 }]);
}

/** ngircd on port 6667. */
export function startIrcd(network: Network): Promise<Program> {
  const file = network.path('ngircd.conf');
  writeFileSync(
    file,
    `[Global]
Name = irc.example.net
Info = test
Listen = ${SERVER4}
Ports = 6667
ServerUID = root
ServerGID = root
[Options]
DNS = no
Ident = no
PAM = no
`,
  );
  return network.serve('server', ['ngircd', '-n', '-f', file], [{ proto: 'tcp', port: 6667 }]);
}

/** snmpd on port 161, community public. */
export function startSnmpd(network: Network): Promise<Program> {
  const file = network.path('snmpd.conf');
  writeFileSync(file, 'rocommunity public\nsysLocation here\n');
  const argv = ['snmpd', '-f', '-Lo', '-C', '-c', file, `udp:${SERVER4}:161`];
  return network.serve('server', argv, [{ proto: 'udp', port: 161 }]);
}

/** sipp as the called party on port 5060, with media on 6000. */
export function startSipp(network: Network): Promise<Program> {
  const argv = ['sipp', '-sn', 'uas', '-i', SERVER4, '-p', '5060', '-mp', '6000', '-nostdin', '-m', '3'];
  return network.serve('server', argv, [{ proto: 'udp', port: 5060 }]);
}

/** pptpd on port 1723, whose `ppp` sends back what it gets. */
export function startPptpd(network: Network): Promise<Program> {
  const ppp = network.path('ppp');
  writeFileSync(ppp, '#!/bin/sh\nstty raw -echo\nexec cat 2>/dev/null\n');
  chmodSync(ppp, 0o755);
  const conf = network.path('pptpd.conf');
  writeFileSync(network.path('pptpd.options'), '');
  writeFileSync(
    conf,
    `ppp ${ppp}
option ${network.path('pptpd.options')}
localip 10.9.0.1
remoteip 10.9.0.2
noipparam
listen ${SERVER4}
`,
  );
  return network.serve('server', ['pptpd', '-f', '-c', conf], [{ proto: 'tcp', port: 1723 }]);
}
