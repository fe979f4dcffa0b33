// The rulesets of the scenarios, in both languages.

/** Addresses of the server behind the router: its port 80 and others are forwarded to the client's network. */
export const HELPERS: Readonly<Record<string, readonly [proto: string, port: number]>> = {
  ftp: ['tcp', 21],
  tftp: ['udp', 69],
  irc: ['tcp', 6667],
  sip: ['udp', 5060],
  pptp: ['tcp', 1723],
  snmp: ['udp', 161],
};

/** Source translation behind lan0, both families; one helper assigned by a rule. In nft. */
export function masqueradeNft(helper: string | null): string {
  const [proto, port] = helper === null ? ['', 0] : HELPERS[helper]!;
  const object =
    helper === null
      ? ''
      : `
	ct helper h { type "${helper}" protocol ${proto}; }
	chain assign { type filter hook prerouting priority filter; ${proto} dport ${port} ct helper set "h"; }`;
  return `table inet t {${object}
	chain passing {
		type filter hook forward priority filter; policy drop;
		ct state established,related accept
		iifname "lan0" ct state new accept
	}
	chain leaving { type nat hook postrouting priority srcnat; oifname "wan0" masquerade; }
}
`;
}

/** The same for IPv4 in iptables. */
export function masqueradeIptables(helper: string | null): string {
  const [proto, port] = helper === null ? ['', 0] : HELPERS[helper]!;
  const assign =
    helper === null
      ? ''
      : `iptables -t raw -A PREROUTING -p ${proto} --dport ${port} -j CT --helper ${helper}\n`;
  return `#!/bin/sh
${assign}iptables -P FORWARD DROP
iptables -A FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
iptables -A FORWARD -i lan0 -m conntrack --ctstate NEW -j ACCEPT
iptables -t nat -A POSTROUTING -o wan0 -j MASQUERADE
`;
}

/** The server's address is the router's: ports of 192.0.2.1 and 2001:db8:1::1 lead to it. */
export function forwardNft(ports: readonly string[], helper: string | null): string {
  const [proto, port] = helper === null ? ['', 0] : HELPERS[helper]!;
  const object =
    helper === null
      ? ''
      : `
	ct helper h { type "${helper}" protocol ${proto}; }
	chain assign { type filter hook prerouting priority -150; ${proto} dport ${port} ct helper set "h"; }`;
  const lines = ports.flatMap((match) => [
    `\t\tiifname "lan0" ip daddr 192.0.2.1 ${match} dnat ip to 198.51.100.80`,
    `\t\tiifname "lan0" ip6 daddr 2001:db8:1::1 ${match} dnat ip6 to 2001:db8:2::80`,
  ]);
  return `table inet t {${object}
	chain forwarded {
		type nat hook prerouting priority dstnat;
${lines.join('\n')}
	}
	chain passing {
		type filter hook forward priority filter; policy drop;
		ct state established,related accept
		ct status dnat accept
	}
}
`;
}

/** The same for IPv4 in iptables, with the source translated, too. */
export function forwardIptables(protos: readonly string[], helper: string | null): string {
  const [proto, port] = helper === null ? ['', 0] : HELPERS[helper]!;
  const assign =
    helper === null
      ? ''
      : `iptables -t raw -A PREROUTING -p ${proto} --dport ${port} -j CT --helper ${helper}\n`;
  const dnat = protos.map(
    (match) =>
      `iptables -t nat -A PREROUTING -i lan0 -d 192.0.2.1 ${match} -j DNAT --to-destination 198.51.100.80\n`,
  );
  return `#!/bin/sh
${assign}${dnat.join('')}iptables -t nat -A POSTROUTING -o wan0 -j SNAT --to-source 198.51.100.1
`;
}
