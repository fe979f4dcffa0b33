/** What nft lists after packets ran: each scenario's listing is compared with the kernel's (rules-scenario.ts). */
import { behaviours, type Scenario } from './rules-scenario.ts';

const PACKETS = `
  accept udp inside 1000 > outside 53
  accept udp inside 1001 > outside 53
  accept udp inside2 1000 > outside2 123
  accept udp inside6 1000 > outside6 53
  accept tcp syn inside 1000 > outside 22`;

const SCENARIOS: readonly Scenario[] = [
  {
    name: 'counters of rules, named counters, quotas up to what they allow',
    nft: `counter hits { packets 5 bytes 70 }
      counter never { }
      quota total { over 10 mbytes used 1 kbytes }
      quota little { 40 bytes }
      ---
      counter
      counter packets 7 bytes 9
      udp dport 53 counter name "hits" counter
      udp dport 9 counter name "never" counter
      quota name "total"
      quota 1 mbytes counter
      quota 50 bytes counter
      quota name "little" counter
      quota over 60 bytes used 20 bytes counter
      counter name ip daddr map { 198.51.100.7 : "hits", 198.51.100.8 : "never" }`,
    packets: PACKETS,
  },
  {
    name: 'elements that packets added, with what they count',
    nft: `set plain { type ipv4_addr; size 10; flags dynamic; }
      set counted { type ipv4_addr; size 10; flags dynamic; counter; }
      set two { type ipv4_addr; size 10; flags dynamic; }
      set limited { type ipv6_addr; size 10; flags dynamic; }
      set bytes { type inet_service; size 10; flags dynamic; }
      set many { type ct_state; size 10; flags dynamic; }
      set pairs { typeof ip saddr . udp dport . meta iifname; size 10; flags dynamic; }
      set small { type inet_proto; size 2; flags dynamic; }
      set marks { type mark; size 9; flags dynamic; }
      map from { type ipv4_addr : inet_service; size 10; flags dynamic; }
      ---
      add @plain { ip saddr }
      add @counted { ip daddr }
      update @two { ip saddr counter quota 1 mbytes }
      update @limited { ip6 saddr limit rate 10/second burst 7 packets }
      add @bytes { th dport limit rate over 10 kbytes/minute }
      add @pairs { ip saddr . udp dport . iifname counter }
      add @small { meta l4proto counter }
      meta mark set 0x10 add @marks { meta mark }
      add @from { ip saddr : udp dport }`,
    packets: PACKETS,
  },
  {
    name: 'elements that packets deleted or gave a time',
    nft: `set given { type ipv4_addr; flags dynamic,timeout; timeout 1h; elements = { 192.168.1.5, 192.168.1.6 timeout 1d, 8.8.8.8 } }
      set gone { type ipv4_addr; flags dynamic; size 10; elements = { 192.168.1.5, 8.8.8.8 } }
      set born { type ipv4_addr; flags dynamic,timeout; size 10; }
      map to { type ipv4_addr : inet_service; flags dynamic,timeout; size 10; }
      ---
      update @given { ip daddr timeout 2m }
      add @given { ip saddr }
      delete @gone { ip saddr }
      add @born { ip saddr timeout 30s counter }
      update @born { ip daddr }
      update @to { ip saddr timeout 5s : udp dport }`,
    packets: PACKETS,
  },
  {
    name: 'counters of elements that rules look up',
    nft: `set hosts { type ipv4_addr; counter; elements = { 192.168.1.5 counter packets 3 bytes 4, 192.168.1.6, 8.8.8.8 } }
      set nets { type ipv4_addr; flags interval; counter; elements = { 192.168.1.0/29, 10.0.0.1-10.0.0.7 } }
      set nets2 { typeof ip saddr . udp dport; flags interval; counter; elements = { 192.168.1.0/29 . 50-60, 10.0.0.1 . 1 } }
      map verdicts { type ipv4_addr : verdict; counter; elements = { 192.168.1.5 : continue, 8.8.8.8 : drop } }
      ---
      ip saddr @hosts counter
      ip saddr @nets counter
      ip saddr . udp dport @nets2 counter
      ip saddr vmap @verdicts
      ip saddr { 192.168.1.5 counter, 192.168.1.6 } counter
      ip saddr { 192.168.1.0/30 counter, 192.168.1.4-192.168.1.6 counter packets 2 bytes 3 }`,
    packets: PACKETS,
  },
];

behaviours('nft lists what packets have left behind', 'rules-running', SCENARIOS);
