function words(text: string): string[] {
  return text.trim().split(/\s+/);
}

/**
 * The words that nft 1.0.6 does not take as a name, found by trying each word of its manual as the name of a table
 * on the real tool.
 */
export const KEYWORDS: ReadonlySet<string> = new Set(
  words(`
  accept add ah all and arp auto-merge bridge cgroup chain comment comp constant continue counter cpu create ct day
  dccp define delete describe device devices dnat drop dst dup dynamic ecn element elements eq esp ether exists
  expires export exthdr fib flags flow flowtable flush frag fwd gc-interval ge get goto gt handle hbh hook hour
  ibriport ibrname icmp icmpv6 igmp iif iifgroup iifname iiftype import include index inet insert interval ip ip6
  ipsec jhash jump le limit list log lshift lt map mark masquerade meta meter mh missing monitor ne netdev nftrace
  not notrack numgen obriport obrname offload oif oifgroup oifname oiftype or osf pkttype policy position priority
  queue quota random redefine redirect reject rename replace reset return rshift rt rt0 rt2 rtclassid rule ruleset
  sctp secmark set size skgid skuid snat socket srh symhash synproxy table tcp th time timeout tproxy type typeof
  udp udplite undefine update vlan vmap xor xt`),
);

/** Keywords that may stand for themselves as values on the right: names of protocols, flags and types. */
export const VALUE_KEYWORDS: ReadonlySet<string> = new Set(
  words(
    `ah arp comp dccp dnat ecn esp ether icmp icmpv6 igmp ip ip6 redirect reset sctp snat tcp udp udplite vlan`,
  ),
);

const CT_WORDS = new Set(
  words(
    `avgpkt bytes count daddr direction dport event expectation expiration helper id l3proto label original over packets
     proto-dst proto-src protocol reply saddr state status zone`,
  ),
);

/** Words that are keywords behind a certain one only, and no names there (measured). */
export const SCOPED_KEYWORDS: Readonly<Record<string, ReadonlySet<string>>> = {
  counter: new Set(words('bytes name packets')),
  quota: new Set(words('bytes name over until used')),
  limit: new Set(words('burst bytes minute name over packets rate second week')),
  synproxy: new Set(words('mss name sack-perm timestamp wscale')),
  'ct helper': CT_WORDS,
  'ct timeout': CT_WORDS,
  'ct expectation': CT_WORDS,
};

/** Of these, those that are values of a type of their own: no text, whatever a comparison is about (measured). */
export const TYPED_KEYWORDS: ReadonlySet<string> = new Set(
  words('ah comp dccp esp icmp icmpv6 igmp redirect sctp tcp udp udplite'),
);

/** The same where an expression may stand as well (behind `set`): only these. */
export const STATEMENT_VALUE_KEYWORDS: ReadonlySet<string> = new Set(
  words('arp dnat ecn ether ip ip6 reset snat vlan'),
);

/** Words that compare. */
export const RELATIONS: ReadonlyMap<string, '==' | '!=' | '<' | '>' | '<=' | '>=' | '!'> = new Map([
  ['==', '=='],
  ['eq', '=='],
  ['!=', '!='],
  ['ne', '!='],
  ['<', '<'],
  ['lt', '<'],
  ['>', '>'],
  ['gt', '>'],
  ['<=', '<='],
  ['le', '<='],
  ['>=', '>='],
  ['ge', '>='],
  ['!', '!'],
  ['not', '!'],
]);

/** Words that begin a statement; for suggestions. */
export const STATEMENT_WORDS: readonly string[] = words(`
  accept drop return continue jump goto counter limit quota log reject notrack snat dnat masquerade redirect tproxy
  queue dup fwd synproxy flow meter add update delete reset comment meta ct iif oif iifname oifname mark ip ip6 tcp
  udp icmp icmpv6 th ether vlan arp sctp dccp udplite ah esp comp igmp fib rt socket osf numgen jhash symhash exthdr
  frag hbh dst mh srh ipsec skuid skgid pkttype`);
