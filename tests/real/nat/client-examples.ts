// The examples of a client that filters for itself, as the classic documents have them: recorded at the client while its
// kernel had the rules.

import { type Network, SERVER4 } from '../network.ts';
import { startVsftpd } from '../servers.ts';

/** What a client's example is made of. */
export interface ClientExample {
  readonly nft: string;
  readonly shell: string;
  readonly prepare: (network: Network) => Promise<unknown>;
  readonly run: (network: Network) => Promise<unknown>;
}

/** The client of the captures. */
export const CLIENT_HOST = `# The client that filters for itself.
interfaces:
  eth0: 192.0.2.10/24
routes:
  - default:eth0
`;

/** @param data rules of the data connection: outward and inward */
function shellRules(outward: string, inward: string): string {
  return `#!/bin/sh
iptables -P INPUT DROP
iptables -P OUTPUT DROP
iptables -P FORWARD DROP
# The helper reads the control connection and tells of the data connections.
iptables -t raw -A OUTPUT -p tcp --dport 21 -j CT --helper ftp
# The control connection.
iptables -A OUTPUT -p tcp --dport 21 -m state --state NEW,ESTABLISHED -j ACCEPT
iptables -A INPUT -p tcp --sport 21 -m state --state ESTABLISHED -j ACCEPT
# The data connections.
iptables -A OUTPUT ${outward} -j ACCEPT
iptables -A INPUT ${inward} -j ACCEPT
`;
}

function nftRules(outward: string, inward: string): string {
  return `table ip client {
	# The helper reads the control connection and tells of the data connections.
	ct helper ftp { type "ftp" protocol tcp; }
	chain assign {
		type filter hook output priority filter - 10;
		tcp dport 21 ct helper set "ftp"
	}
	chain output {
		type filter hook output priority filter; policy drop;
		tcp dport 21 ct state new,established accept
		${outward} accept
	}
	chain input {
		type filter hook input priority filter; policy drop;
		tcp sport 21 ct state established accept
		${inward} accept
	}
}
`;
}

async function session(network: Network, passive: 'on' | 'off'): Promise<void> {
  const commands = ['user anonymous guest@example.net', 'epsv4 off', 'binary', `passive ${passive}`];
  const script = [...commands, 'get hello.txt /dev/null', 'quit'].join('\n');
  const { stdout } = await network.run('client', ['ftp', '-n', '-v', SERVER4], { input: `${script}\n` });
  if (!stdout.includes('226 Transfer complete')) throw new Error(`no transfer:\n${stdout}`);
}

const HIGH = '1024:65535';

/** By the folder of examples/. */
export const CLIENT_EXAMPLES: Readonly<Record<string, ClientExample>> = {
  'ftp-active': {
    nft: nftRules('tcp dport 20 ct state established', 'tcp sport 20 ct state established,related'),
    shell: shellRules(
      '-p tcp --dport 20 -m state --state ESTABLISHED',
      '-p tcp --sport 20 -m state --state ESTABLISHED,RELATED',
    ),
    prepare: startVsftpd,
    run: (network) => session(network, 'off'),
  },
  'ftp-passive': {
    nft: nftRules(
      'tcp sport 1024-65535 tcp dport 1024-65535 ct state established,related',
      'tcp sport 1024-65535 tcp dport 1024-65535 ct state established',
    ),
    shell: shellRules(
      `-p tcp --sport ${HIGH} --dport ${HIGH} -m state --state ESTABLISHED,RELATED`,
      `-p tcp --sport ${HIGH} --dport ${HIGH} -m state --state ESTABLISHED`,
    ),
    prepare: startVsftpd,
    run: (network) => session(network, 'on'),
  },
};
