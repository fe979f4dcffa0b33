// Records the examples of translation and helpers anew (examples/NAME: rules in both languages, the router, a capture
// of what entered it, what is to become of each packet), each held to what the kernel sent on while it was recorded:
//
//   node --conditions=keepstate-source --import tsx tests/real/nat/examples.ts [NAME…]

import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { CaptureRecord, PcapWriter } from '@keepstate/engine';
import { CLIENT4, Network, ROUTER4, SERVER4 } from '../network.ts';
import { pause, until } from '../process.ts';
import { classicFtp } from '../scenarios/ftp.ts';
import { startNginx, startVsftpd } from '../servers.ts';
import { CLIENT_EXAMPLES, CLIENT_HOST } from './client-examples.ts';
import { expectedLines } from './expected.ts';
import { type NatScenario, recordThrough } from './record.ts';
import { Replayed } from './replay.ts';
import { forwardIptables, forwardNft, masqueradeIptables, masqueradeNft } from './rules.ts';
import { call, fetch, pathMtu, tftp, traceroutes, tunnel } from './scenarios.ts';
import { startPptpd, startSipp, startTftpd } from './servers.ts';

const EXAMPLES = fileURLToPath(new URL('../../../examples/', import.meta.url));

const HOST = `# The router between client (192.0.2.10) and server (198.51.100.80).
interfaces:
  lan0: 192.0.2.1/24
  wan0: 198.51.100.1/24
`;

type Example = Pick<NatScenario, 'prepare' | 'run'> & {
  readonly nft: string;
  readonly shell: string;
  readonly host?: string;
};

/** A client reaches a server of its own network by the router's outer address, which needs both translations. */
const HAIRPIN_NFT = `table ip t {
	chain inward {
		type nat hook prerouting priority dstnat;
		ip daddr 198.51.100.1 tcp dport 80 dnat to 192.0.2.11
	}
	chain outward {
		type nat hook postrouting priority srcnat;
		ip saddr 192.0.2.0/24 ip daddr 192.0.2.11 tcp dport 80 masquerade
		oifname "wan0" masquerade
	}
}
`;
const HAIRPIN_SHELL = `#!/bin/sh
iptables -t nat -A PREROUTING -d 198.51.100.1 -p tcp --dport 80 -j DNAT --to-destination 192.0.2.11
iptables -t nat -A POSTROUTING -s 192.0.2.0/24 -d 192.0.2.11 -p tcp --dport 80 -j MASQUERADE
iptables -t nat -A POSTROUTING -o wan0 -j MASQUERADE
`;

async function startHairpin(network: Network): Promise<void> {
  await network.run('client', ['ip', 'addr', 'add', '192.0.2.11/24', 'dev', 'eth0']);
  await startNginx(network, 'client');
}

const LIST: Readonly<Record<string, Example>> = {
  'ftp-masquerade': {
    nft: masqueradeNft('ftp'),
    shell: masqueradeIptables('ftp'),
    prepare: startVsftpd,
    run: classicFtp,
  },
  hairpin: {
    nft: HAIRPIN_NFT,
    shell: HAIRPIN_SHELL,
    prepare: startHairpin,
    run: (network) => fetch(network, '198.51.100.1', ['--interface', CLIENT4]),
  },
  'sip-call': {
    nft: masqueradeNft('sip'),
    shell: masqueradeIptables('sip'),
    prepare: startSipp,
    run: (network) => call(network, SERVER4),
  },
  'tftp-boot': {
    nft: masqueradeNft('tftp'),
    shell: masqueradeIptables('tftp'),
    prepare: startTftpd,
    run: (network) => tftp(network, SERVER4),
  },
  'pptp-tunnel': {
    nft: masqueradeNft('pptp'),
    shell: masqueradeIptables('pptp'),
    prepare: startPptpd,
    run: (network) => tunnel(network, SERVER4),
  },
  'traceroute-nat': {
    nft: masqueradeNft(null),
    shell: masqueradeIptables(null),
    run: (network) => traceroutes(network, [SERVER4]),
  },
  'path-mtu-nat': {
    nft: forwardNft(['tcp dport 80'], null).replace(/^.*ip6.*\n/gm, ''),
    shell: forwardIptables(['-p tcp --dport 80'], null).replace(/^.*-j SNAT.*\n/m, ''),
    host: HOST.replace('  lan0: 192.0.2.1/24', '  lan0:\n    addresses: [192.0.2.1/24]\n    mtu: 1300'),
    prepare: startNginx,
    run: (network) => pathMtu(network, [ROUTER4], '/4.txt'),
  },
};

async function record(name: string): Promise<void> {
  const { nft, shell, host = HOST, ...play } = LIST[name]!;
  const recorded = await recordThrough({ name, rules: nft, needs: [], limit: 40, ...play });
  for (const rules of [nft, shell]) {
    const found = new Replayed({ ...recorded, rules }).differences(recorded);
    if (found.length > 0) throw new Error(`${name} leaves keepstate otherwise:\n${found.join('\n')}`);
  }
  const folder = `${EXAMPLES}${name}`;
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}/rules.nft`, nft);
  writeFileSync(`${folder}/rules.sh`, shell);
  writeFileSync(`${folder}/host.yaml`, host);
  const writer = new PcapWriter({ linktype: 1 });
  const frame = new CaptureRecord();
  const parts = [writer.header(), ...recorded.entered.map((c) => writer.record(frame.packet(c.frame, c.at)))];
  writeFileSync(`${folder}/capture.pcap`, Buffer.concat(parts));
  writeFileSync(`${folder}/expected.txt`, `${(await expectedLines(folder, 'rules.nft')).join('\n')}\n`);
  console.log(`${name}: ${recorded.entered.length} packets`);
}

/** Records at the client itself: what it sends has passed its rules already. */
async function recordClient(name: string): Promise<void> {
  const { nft, shell, prepare, run } = CLIENT_EXAMPLES[name]!;
  const folder = `${EXAMPLES}${name}`;
  mkdirSync(folder, { recursive: true });
  const network = await Network.create();
  try {
    await prepare(network);
    await network.run('client', ['nft', '-f', '-'], { input: nft });
    const file = `${folder}/capture.pcap`;
    const options = ['-n', '-U', '--immediate-mode', '-Z', 'root', '-w', file, 'tcp'];
    const tcpdump = network.start('client', ['tcpdump', '-i', 'eth0', ...options]);
    await until('tcpdump to listen', () => tcpdump.stderr.includes('listening on'));
    await run(network);
    await pause(200);
    tcpdump.signal('SIGINT');
    await tcpdump.ended;
  } finally {
    await network.destroy();
  }
  writeFileSync(`${folder}/rules.nft`, nft);
  writeFileSync(`${folder}/rules.sh`, shell);
  writeFileSync(`${folder}/host.yaml`, CLIENT_HOST);
  const lines = await expectedLines(folder, 'rules.nft');
  if (lines.some((line) => !line.includes(' accept'))) throw new Error(`${name}:\n${lines.join('\n')}`);
  writeFileSync(`${folder}/expected.txt`, `${lines.join('\n')}\n`);
  console.log(`${name}: ${lines.length} packets`);
}

const names = process.argv.slice(2);
for (const name of names.length > 0 ? names : [...Object.keys(LIST), ...Object.keys(CLIENT_EXAMPLES)])
  await (name in LIST ? record(name) : recordClient(name));
