/** What conntrack(8) prints that keepstate reads and prints again. */
import { lines } from './conntrack-command-lines.ts';

/** What is printed in each format and read back; and the command that prints the same again. */
export const DUMPS: readonly (readonly [real: string, ours: string])[] = [
  ['conntrack -L', '-L'],
  ['conntrack -L -o extended', '-L -o extended'],
  ['conntrack -L -o id,ktimestamp', '-L -o id,ktimestamp'],
  ['conntrack -L -o xml', '-L -o xml'],
  ['conntrack -L -o save', '-L -o save'],
  ['conntrack -L -w 7', '-L -w 7'],
  ['conntrack -L expect', '-L expect'],
];

/** Filters that ask only for what a listing shows. */
export const VISIBLE: readonly string[] = lines(`
  -L -p tcp
  -L -p udp --dport 53
  -L -u ASSURED
  -L -u UNREPLIED
  -L -u SEEN_REPLY
  -L -m 0x17
  -L -w 7
  -L --orig-zone 3
  -L -f ipv6
  -L -d 10.0.0.8/30
  -L -n
  -L -g 192.0.2.2
  -L -j
  -L -p tcp --state ESTABLISHED
  -L -p icmp --icmp-id 77
  -L -p gre --srckey 17
  -L -r 10.0.0.2`);
