/** Command lines of conntrack(8) that are run on the kernel's table and on keepstate's, in this order. */

import { CHANGING, LABELLING, UPDATING } from './conntrack-command-changes.ts';
import { lines } from './conntrack-command-lines.ts';
import { COMBINED, MAKING } from './conntrack-command-more.ts';
import { ANSWERS, SPELLED } from './conntrack-command-spelled.ts';

/** A name, and commands one after the other on tables that are empty before. */
export interface Scene {
  readonly name: string;
  /** Words by blanks; '' is an empty word. A line that begins with < is read by `conntrack -R -`. */
  readonly commands: readonly string[];
}

/** Eleven flows: each protocol, both families, NAT, zones, marks, states. */
export const FILL: readonly string[] = [
  '-I -p tcp -s 10.0.0.1 -d 10.0.0.2 --sport 1000 --dport 80 --state ESTABLISHED -t 1000 -u SEEN_REPLY,ASSURED -m 5',
  '-I -p udp -s 10.0.0.1 -d 10.0.0.3 --sport 1001 --dport 53 -t 900',
  '-I -p udp -s 10.0.0.1 -d 10.0.0.4 --sport 1002 --dport 53 -t 900 -n 192.0.2.1',
  '-I -p tcp -s 10.0.0.1 -d 10.0.0.5 --sport 1003 --dport 80 --state SYN_SENT -t 900 -g 192.0.2.2 -w 7 -m 0x17',
  '-I -p icmp -s 10.0.0.1 -d 10.0.0.6 --icmp-type 8 --icmp-code 0 --icmp-id 77 -t 800',
  '-A -p udp -s fd00::1 -d fd00::2 --sport 1 --dport 2 -t 700 -u SEEN_REPLY',
  '-A -p sctp -s 10.0.0.1 -d 10.0.0.7 --sport 1 --dport 2 -t 700 --state ESTABLISHED --orig-vtag 5 --reply-vtag 6',
  '-A -p gre -s 10.0.0.1 -d 10.0.0.8 --srckey 0x11 --dstkey 12 -t 700',
  '-A -p 99 -s 10.0.0.1 -d 10.0.0.9 -t 700 -u FIXED_TIMEOUT',
  '-A -p dccp -s 10.0.0.1 -d 10.0.0.10 --sport 1 --dport 2 -t 700 --state OPEN --role client',
  '-A -p udplite -s 10.0.0.1 -d 10.0.0.11 --sport 1 --dport 2 -t 700 --orig-zone 3',
];

/** Commands that only look, on the eleven flows. */
const LOOKING: Readonly<Record<string, readonly string[]>> = {
  'getopt finds commands and tables': lines(`
    -L
    -L -L
    -L -G
    -LG
    --dum
    --d
    --dst-n -L
    --s 1.2.3.4 -L
    --src=10.0.0.2 -L
    --proto tcp -L
    --prot=tcp -L
    -L --dump
    -L --foo
    -L --foo=bar
    -L --output
    -L foo
    -L conntrack
    -L expect foo
    -L conntrack foo bar
    expect -L
    -Lexpect
    -L -s 10.0.0.9 expect
    -L unconf
    -L dyin
    -L Expect
    foo -L
    -L ''
    -L -
    -L -- expect
    -L -- -z
    -Q
    -QL
    foo -Q
    -LQ
    -zQ -L
    -p -L
    -s
    -L -ptcp -s
    -L --z
    -L --zero=1
    -L --ma 1
    -L --mask
    -Lm
    -Vz
    -V
    -V foo
    -V -h
    -h foo
    -L -h
    -hz
    --version
    --event-mask
    --load-file
    -R
    -R/dev/null
    -L -R /dev/null
    -R /nonexistent
    -R /dev/null
    -R /dev/null -v
    --load-file /dev/null
    --load /dev/null
    -p udp
    -L -a 1
    -L -v`),
  'a protocol has options behind -p only': lines(`
    -L --dport 80 -p tcp
    -L -p tcp --sport
    -L --sport 99
    -L -p udp -o extended
    -p tcp -L --dport 80
    -L -p udp --sport abc
    -L -p udp --sport 70000
    -L -p tcp --sport 0x3e8
    -L -p tcp --sport 1000a
    -L -p tcp --sport -1
    -L -p tcp --sp 1000
    -L -p tcp --reply-p 1
    -L -p tcp --src-n
    -L -p TCP
    -L -p 6
    -L -p 0x6
    -L -p 99
    -L -p 256
    -L -p -1
    -L -p 6x
    -L -p ''
    -L -p 0
    -L -p icmpv6
    -L -p ipv6-icmp
    -L -p igmp
    -L -p esp --sport 1
    -L -p all
    -L -p nope
    -L -p tcp -p udp
    -L -p tcp --state foo
    -L -p tcp --state established
    -L -p tcp --state ESTABLISHED
    -L -p tcp --state LISTEN
    -L -p sctp --state ESTABLISHED
    -L -p sctp --state CLOSED
    -L -p sctp --orig-vtag 5
    -L -p dccp --state OPEN
    -L -p dccp --state FOO
    -L -p dccp --role client
    -L -p dccp --role foo
    -L -p icmp --icmp-type 8
    -L -p icmp --icmp-type 8 --icmp-code 0
    -L -p icmp --icmp-id 77
    -L -p icmp --icmp-type foo
    -L -p icmp --icmpv6-type 8
    -L -p gre --srckey 17
    -L -p gre --srckey 0x11
    -L -p gre --dstkey 0xc
    -L -p gre --reply-key-src 12
    -L -p gre --srckey 5
    -L -p udp --state ESTABLISHED
    -L -p tcp --sport 1000 --sport 1003
    -L -p tcp --reply-port-src 80
    -L -p udp --reply-port-dst 1002
    -L -p udplite --orig-port-src 1
    -L -p tcp --mask-port-src 1
    -L -p tcp --tuple-port-src 1 --mask-port-dst 1`),
  'filters by status and mark': lines(`
    -L -u foo
    -L -u assured
    -L -u SEEN_REPLY,ASSURED
    -L -u SEEN_REPLY
    -L -u ASSURED -u SEEN_REPLY
    -L -u UNSET
    -L -u S
    -L -u U
    -L -u UNREPLIED
    -L -u FIXED_TIMEOUT
    -L -u EXPECTED
    -L -u OFFLOAD
    -L -u ASSURED,
    -L -u ,ASSURED
    -L -u ''
    -L -u SRC_NAT
    -L -u CONFIRMED
    -L -u UNSET,ASSURED
    -L -u UNREPLIED,ASSURED
    -L -u DST_NAT,ASSURED
    -L -m abc
    -L -m 5
    -L -m 5/
    -L -m 5/0xf
    -L -m 0x5
    -L -m 5x
    -L -m 7/7
    -L -m 7/0xff
    -L -m -1
    -L -m 010
    -L -m 4294967296
    -L -m 5 -u ASSURED
    -L -u ASSURED -m 5
    -L -m 4/4 -u ASSURED
    -L -m 5/4 -u ASSURED
    -D -m 6 -u SEEN_REPLY -u ASSURED
    -L -c 5`),
  'filters by zone and family': lines(`
    -L -w 7
    -L -w 70000
    -L -w abc
    -L -w 0
    -L --orig-zone 3
    -L --reply-zone 0
    -L --orig-zone 7
    -L --orig-zone 3 -w 7
    -L --orig-zone 1 --orig-zone 3
    -L -f ipv4
    -L -f ipv6
    -L -f inet
    -L -f IPV4
    -L -f ''
    -L -f ipv4 -f ipv6
    -L -f ipv6 -f ipv6
    --fam ipv4 -L
    -L -f ipv6 -s 10.0.0.1
    -L -s 10.0.0.1 -f ipv6
    -L -s fd00::1 -d 10.0.0.2`),
  'filters by address': lines(`
    -L -s 10.0.0.1
    -L -s 10.0.0.0/24
    -L -d 10.0.0.8/30
    -L -d 10.0.0.0/33
    -L -d 10.0.0.0/-1
    -L -d 10.0.0.0/
    -L -d 10.0.0.0/24x
    -L -d 10.0.0.0/255.255.255.0
    -L -d 10.0.0.0/0
    -L -d 10.0.0.9/24
    -L -d fd00::/64
    -L -d fd00::/129
    -L -s 10.1
    -L -s 167772161
    -L -s 0x0a.1
    -L -s 1.2.3.4.5
    -L -s 1.2.3.256
    -L -s localhost
    -L -s x/24
    -L -s 10.0.0.0 -d fd00::1/200
    -L -s ''
    -L -s 10.0.0.2 -s 10.0.0.1
    -L -d 10.0.0.2 --mask-dst 255.255.255.0
    -L -d 10.0.0.0/24 --mask-dst 255.255.255.255
    -L --mask-dst 255.255.255.255 -d 10.0.0.0/24
    -L --mask-src 255.0.0.0
    -L -d 10.0.0.2 --mask-src 255.255.255.0
    -L -d 10.0.0.0 --mask-dst 255.255.255.0/24
    -L -d 10.0.0.2 --mask-dst ffff::
    -L --orig-src 10.0.0.1 --orig-dst 10.0.0.2
    -L -r 10.0.0.2
    -L -r 10.0.0.0/24
    -L -q 192.0.2.1
    -L -q 192.0.2.0/24
    -L --reply-src 192.0.2.2`),
  'filters by translation': lines(`
    -L -n
    -L -n 192.0.2.1
    -L -n 192.0.2.9
    -L -n192.0.2.9
    -L -n192.0.2.9 word
    -L --src-nat=192.0.2.9
    -L -n 192.0.2.1 -n
    -L -n 192.0.2.1:5
    -L -n 192.0.2.1:1002
    -L -n 192.0.2.0/24
    -L -n :5
    -L -n ''
    -L -n foo
    -L -n 192.0.2.1:foo
    -L -n 192.0.2.1:70000
    -L -n 192.0.2.1:
    -L -n [::1]
    -L -n fd00::1
    -L -g
    -L -g 192.0.2.2
    -L -g 192.0.2.2:80
    -L -j
    -L -j 192.0.2.1
    -L -j 192.0.2.2
    -L -j 192.0.2.1 -p udp
    -L -j 192.0.2.1 -s 10.0.0.1
    -L -j192.0.2.9
    -L -j z
    -L -j -n
    -L -n -g
    -L -n -L`),
  'prints every format': lines(`
    -L -o extended
    -L -o xml
    -L -o save
    -L -o id
    -L -o timestamp
    -L -o ktimestamp
    -L -o userspace
    -L -o extended,id,ktimestamp,timestamp
    -L -o id -o extended
    -L -o xml,extended,id,ktimestamp
    -L -o Xml -p sctp
    -L -o x -w 7
    -L -o ext -p sctp
    -L -o foo
    -L -o xml,foo
    -L -o xml,
    -L -o ,
    -L -o ''
    -L -o extendedfoo
    -L -o save,xml
    -L -o save -o xml
    -L -o save,save
    -L -o SAVE -p gre
    -L -o xml -p 250
    -L dying -o xml
    -L unconfirmed -u UNSET
    -L unconfirmed`),
  'gets one flow': lines(`
    -G -p tcp -s 10.0.0.1 -d 10.0.0.2 --sport 1000 --dport 80
    -G -p tcp -s 10.0.0.1 -d 10.0.0.2 --sport 1000 --dport 80 -o xml
    -G -p tcp -s 10.0.0.1 -d 10.0.0.2 --sport 1000 --dport 80 -o save
    -G -p tcp -s 10.0.0.1 -d 10.0.0.2 --sport 1000 --dport 80 -o extended,id
    --get -p tcp -s 10.0.0.2 -d 10.0.0.1 --sport 80 --dport 1000
    -G -p tcp -r 10.0.0.2 -q 10.0.0.1 --reply-port-src 80 --reply-port-dst 1000
    -G -p tcp -s 10.0.0.1 -d 10.0.0.2 --sport 1000
    -G -p tcp -s 10.0.0.1 -d 10.0.0.2
    -G -p tcp
    -G
    -G -p icmp -s 10.0.0.1 -d 10.0.0.6 --icmp-type 8 --icmp-code 0 --icmp-id 77
    -G -p icmp -s 10.0.0.1 -d 10.0.0.6 --icmp-type 8
    -G -p gre -s 10.0.0.1 -d 10.0.0.8 --srckey 17 --dstkey 12
    -G -p 99 -s 10.0.0.1 -d 10.0.0.9
    -G -p 99 -s 10.0.0.1 -d 10.0.0.99
    -G -p udp -s fd00::1 -d fd00::2 --sport 1 --dport 2
    -G -p dccp -s 10.0.0.1 -d 10.0.0.10 --sport 1 --dport 2
    -G -p sctp -s 10.0.0.1 -d 10.0.0.7 --sport 1 --dport 2
    -G -p tcp -s 10.0.0.1 -d 10.0.0.2 --sport 1000 --dport 80 --state NONE
    -G -p tcp -s 10.0.0.1 -d 10.0.0.2 --sport 1000 --dport 80 --state ESTABLISHED
    -G -p tcp -s 10.0.0.1 -d 10.0.0.5 --sport 1003 --dport 80
    -G -p udplite -s 10.0.0.1 -d 10.0.0.11 --sport 1 --dport 2
    -G -p udp -s 10.0.0.1 -d 10.0.0.3 --sport 1001 --dport 53 -r 10.0.0.9
    -G -p udp -s 10.0.0.1 -d 10.0.0.3 --sport 1001 --dport 53 --reply-port-src 53
    -G -p udp -s 10.0.0.1 -d 10.0.0.4 --sport 1002 --dport 53 -r 10.0.0.4 -q 192.0.2.1 --reply-port-src 53 --reply-port-dst 1002`),
  'shows expectations, counts and stops where there is nothing to do': lines(`
    -L expect
    -L expect -o xml
    -L expect -o save
    -L expect -f ipv6
    -L expect -s 1.1.1.1
    -C
    -C expect
    --count
    -Cz
    -C foo
    -C -s 10.0.0.1
    -C -f ipv4
    -C dying
    -D unconfirmed
    -S foo
    -S -z
    -A expect -p tcp
    -U expect
    -G expect
    -G expect -p tcp -s 1.1.1.1 -d 1.1.1.2
    -G expect -p tcp -s 1.1.1.1 -d 1.1.1.2 --sport 0 --dport 4000 --reply-port-src 0 --reply-port-dst 4000
    -D expect -p 99 -s 1.1.1.1 -d 1.1.1.2
    -G expect -p udp -s 1.1.1.1 -d 1.1.1.2 --sport 1 --dport 2 -r 1.1.1.1
    -G expect -p 99 -s 1.1.1.1 -d 1.1.1.2 -q 1.1.1.1
    -I expect -p tcp -s 10.0.0.1 -d 10.0.0.2
    -I expect -p 99 -s 1.1.1.1 -d 1.1.1.2 --tuple-src 10.0.0.1 --tuple-dst 10.0.0.9 --mask-src 255.255.255.255 --mask-dst 255.255.255.255 -t 50
    -I expect -p tcp -s 10.0.0.1 -d 10.0.0.2 --sport 1000 --dport 80 --tuple-src 1.1.1.1 --tuple-dst 1.1.1.2 --mask-src 255.255.255.255 --mask-dst 255.255.255.255 -t 50 --tuple-port-src 0 --tuple-port-dst 4000 --mask-port-src 0 --mask-port-dst 65535
    -E -e foo
    -E -e NEW,
    -E -t 5
    -E expect -s 1.1.1.1
    -L -e NEW
    -L -t 5
    -L -b 5
    -L -i 5
    -L --tuple-src 1.1.1.1
    -L -z -p tcp
    -L -z -s 10.0.0.1
    -L -z -w 7
    -L -z -w 7 --mask-dst 255.255.255.0
    -L dying -z -w 7
    -L -l one`),
};

const scenes = (of: Readonly<Record<string, readonly string[]>>, before: readonly string[]): Scene[] =>
  Object.entries(of).map(([name, commands]) => ({ name, commands: [...before, ...commands] }));

/** Everything, by what it shows. */
export const SCENES: readonly Scene[] = [
  ...scenes(LOOKING, FILL),
  ...scenes(CHANGING, []),
  ...scenes(UPDATING, FILL),
  ...scenes({ ...COMBINED, ...SPELLED }, FILL),
  ...scenes({ ...MAKING, ...ANSWERS }, []),
];

/** What needs names for labels. */
export const LABEL_SCENES: readonly Scene[] = scenes(LABELLING, FILL);
