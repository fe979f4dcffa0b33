/** Command lines of conntrack(8) that are run on the kernel's table and on keepstate's, in this order. */

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

const lines = (text: string): string[] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');

/** Commands that only look, on the eleven flows. */
const LOOKING: Readonly<Record<string, readonly string[]>> = {
  'getopt finds commands and tables': lines(`
    -L
    -L -L
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
    -L -a 1
    -L -v`),
  'a protocol has options behind -p only': lines(`
    -L --dport 80 -p tcp
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
    -L -m -1
    -L -m 010
    -L -m 4294967296
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
    -L -l one`),
};

/** Commands that change the table; what is in it is compared after each scene. */
const CHANGING: Readonly<Record<string, readonly string[]>> = {
  'makes flows with whatever is given': lines(`
    -I -p tcp -s 1.1.1.1 -d 1.1.1.2 --sport 1 --dport 2 -t 100
    -I -p tcp -s 1.1.1.1 -d 1.1.1.2 --sport 1 --dport 2 --state NONE -t 100
    -I -p tcp -s 1.1.1.1 -d 1.1.1.2 --sport 1 --dport 2 --state NONE -t 100
    -A -p tcp -s 1.1.1.1 -d 1.1.1.2 --sport 1 --dport 2 --state NONE -t 100
    -I -p tcp -s 1.1.1.2 -d 1.1.1.1 --sport 2 --dport 1 --state NONE -t 100
    -I -p tcp -s 1.1.1.1 -d 1.1.1.2 --sport 1 --state NONE -t 100
    -I -p udp -s 1.1.1.1 -d 1.1.1.2 -t 100
    -I -p udp -s 1.1.1.1 -r 1.1.1.2 --sport 1 --dport 2 -t 100
    -I -p udp -s 1.1.1.1 --sport 1 --dport 2 -t 100
    -I -p udp -r 1.1.1.1 -t 5
    -I -p udp -q 1.1.1.1 -t 5
    -I -p udp -r 1.1.1.1 -q 1.1.1.2 -t 5
    -I -p udp -r 1.1.1.1 -q 1.1.1.2 --reply-port-src 1 --reply-port-dst 2 -t 100
    -I -p udp -s 1.1.1.1 -d 1.1.1.3 -r 1.1.1.3 -q 1.1.1.4 --sport 1 --dport 2 --reply-port-src 3 --reply-port-dst 4 -t 100
    -I -p udp -s 1.1.1.1 -d 1.1.1.4 -r 1.1.1.4 --sport 1 --dport 2 -t 100
    -A -p udp -s 1.1.1.1 -d 1.1.1.4 -r 1.1.1.4 --sport 1 --dport 2 -t 100
    -I -p udp -s 1.1.1.1 -d 1.1.1.4 -r 1.1.1.4 -q 1.1.1.5 --sport 1 --dport 2 -t 100
    -I -p udp -s 1.1.1.1 -d 1.1.1.5 --sport 1 --dport 2 --reply-port-src 7 -t 100
    -I -p udp -s 1.1.1.1 -d 1.1.1.6 --reply-port-src 1 --reply-port-dst 2 -t 5
    -I -p udp -s 1.1.1.1 -d fd00::1 --sport 1 --dport 2 -t 5
    -I -p udp -s 1.1.1.1/24 -d 1.1.1.2 --sport 18 --dport 2 -t 10
    -I -t 5
    -I -p udp -s 1.1.1.1 -d 1.1.1.2 --sport 18 --dport 2 -t 5 -o xml`),
  'makes flows with translation': lines(`
    -I -p udp -s 1.1.1.1 -d 1.1.1.2 --sport 1 --dport 2 -n 9.9.9.9:55 -t 100
    -I -p udp -s 1.1.1.1 -d 1.1.1.3 --sport 1 --dport 2 -g 9.9.9.9:55 -t 100
    -I -p udp -s 1.1.1.1 -d 1.1.1.4 --sport 1 --dport 2 -g 9.9.9.9 -n 8.8.8.8 -t 100
    -I -p udp -s 1.1.1.1 -d 1.1.1.5 --sport 1 --dport 2 -n -t 100
    -I -p udp -s 1.1.1.1 -d 1.1.1.6 --sport 1 --dport 2 -n 9.9.9.9:55-66 -t 100
    -I -p udp -s 1.1.1.1 -d 1.1.1.7 --sport 1 --dport 2 -n 9.9.9.1-9.9.9.9 -t 100
    -I -p udp -s fd00::1 -d fd00::2 --sport 1 --dport 2 -n [fd00::9]:77 -t 100
    -I -p udp -s fd00::1 -d fd00::3 --sport 1 --dport 2 -n fd00::9:77 -t 100
    -I -p udp -s fd00::1 -d fd00::4 --sport 1 --dport 3 -n 1.2.3.4 -t 100
    -L
    -L -o save
    -L -o xml
    -L -n 9.9.9.9:55
    -L -n 9.9.9.9
    -L -g 9.9.9.9:55
    -L -j 9.9.9.9:55
    -L -j
    -L -n
    -L -g
    -D -n 9.9.9.9:55
    -D -g`),
  'makes flows with status, timeouts and zones': lines(`
    -I -p tcp -s 1.1.1.1 -d 1.1.1.2 --sport 1 --dport 2 --state ESTABLISHED -t 100 -u UNSET
    -I -p tcp -s 1.1.1.1 -d 1.1.1.2 --sport 2 --dport 2 --state ESTABLISHED -t 100 -u EXPECTED
    -I -p tcp -s 1.1.1.1 -d 1.1.1.2 --sport 3 --dport 2 --state ESTABLISHED -t 100 -u OFFLOAD
    -I -p tcp -s 1.1.1.1 -d 1.1.1.2 --sport 4 --dport 2 --state ESTABLISHED -t 100 -u UNREPLIED
    -I -p tcp -s 1.1.1.1 -d 1.1.1.2 --sport 5 --dport 2 --state ESTABLISHED -t 100 -u ASSURED
    -I -p tcp -s 1.1.1.1 -d 1.1.1.2 --sport 6 --dport 2 --state ESTABLISHED -t 0
    -I -p tcp -s 1.1.1.1 -d 1.1.1.2 --sport 7 --dport 2 --state ESTABLISHED -t -1
    -I -p tcp -s 1.1.1.1 -d 1.1.1.2 --sport 8 --dport 2 --state LISTEN -t 100
    -I -p tcp -s 1.1.1.1 -d 1.1.1.2 --sport 9 --dport 2 --state SYN_SENT2 -t 100
    -I -p tcp -s 1.1.1.1 -d 1.1.1.2 --sport 10 --dport 2 --state NONE -t 100 -m 5/0xff
    -I -p tcp -s 1.1.1.1 -d 1.1.1.2 --sport 11 --dport 2 --state NONE -t 4294967
    -I -p tcp -s 1.1.1.1 -d 1.1.1.2 --sport 12 --dport 2 --state NONE -t 2147483648
    -I -p tcp -s 1.1.1.1 -d 1.1.1.2 --sport 13 --dport 2 --state NONE -t 99999999999
    -I -p tcp -s 1.1.1.1 -d 1.1.1.2 --sport 14 --dport 2 --state NONE -t 100 -w 5 --orig-zone 6
    -I -p tcp -s 1.1.1.1 -d 1.1.1.2 --sport 15 --dport 2 --state NONE -t 100 --orig-zone 6 --reply-zone 6
    -I -p tcp -s 1.1.1.1 -d 1.1.1.2 --sport 16 --dport 2 --state NONE -t 100 --orig-zone 6 --reply-zone 7
    -I -p tcp -s 1.1.1.1 -d 1.1.1.2 --sport 17 --dport 2 --state NONE -t 100 --reply-zone 7
    -I -p tcp -s 1.1.1.1 -d 1.1.1.2 --sport 1 --dport 2 --state NONE -t 100 -w 3
    -L
    -L -o save
    -L -o xml`),
  'makes flows of each protocol': lines(`
    -I -p icmp -s 1.1.1.1 -d 1.1.1.2 --icmp-type 8 --icmp-code 0 -t 100
    -I -p icmp -s 1.1.1.1 -d 1.1.1.2 --icmp-type 8 --icmp-id 5 -t 100
    -I -p icmp -s 1.1.1.1 -d 1.1.1.2 --icmp-code 0 --icmp-id 5 -t 100
    -I -p icmp -s 1.1.1.1 -d 1.1.1.2 --icmp-type 0 --icmp-code 0 --icmp-id 6 -t 100
    -I -p icmp -s 1.1.1.1 -d 1.1.1.2 --icmp-type 13 --icmp-code 0 --icmp-id 6 -t 100
    -I -p icmp -s 1.1.1.1 -d 1.1.1.2 --icmp-type 3 --icmp-code 0 --icmp-id 6 -t 100
    -I -p icmp -s 1.1.1.1 -d 1.1.1.2 --icmp-type 8 --icmp-code 0 --icmp-id 70000 -t 100
    -I -p icmp -s fd00::1 -d fd00::2 --icmp-type 8 --icmp-code 0 --icmp-id 7 -t 100
    -I -p icmpv6 -s fd00::1 -d fd00::2 --icmpv6-type 128 --icmpv6-code 0 --icmpv6-id 7 -t 100
    -I -p icmpv6 -s fd00::1 -d fd00::2 --icmp-type 128 --icmp-code 0 --icmp-id 7 -t 100
    -I -p icmpv6 -s fd00::1 -d fd00::2 --icmpv6-type 135 --icmpv6-code 0 --icmpv6-id 7 -t 100
    -I -p icmpv6 -s 1.1.1.1 -d 1.1.1.2 --icmpv6-type 128 --icmpv6-code 0 --icmpv6-id 7 -t 100
    -I -p sctp -s 1.1.1.1 -d 1.1.1.2 --sport 1 --dport 2 -t 100
    -I -p sctp -s 1.1.1.1 -d 1.1.1.2 --sport 1 --dport 2 --state CLOSED -t 100
    -I -p sctp -s 1.1.1.1 -d 1.1.1.2 --sport 1 --dport 2 --state CLOSED --orig-vtag 5 -t 100
    -I -p sctp -s 1.1.1.1 -d 1.1.1.2 --sport 1 --dport 2 --state CLOSED --orig-vtag 5 --reply-vtag 4000000000 -t 100
    -I -p dccp -s 1.1.1.1 -d 1.1.1.2 --sport 1 --dport 2 -t 100
    -I -p dccp -s 1.1.1.1 -d 1.1.1.2 --sport 1 --dport 2 --state OPEN -t 100
    -I -p dccp -s 1.1.1.1 -d 1.1.1.2 --sport 1 --dport 2 --state NONE --role Client -t 100
    -I -p gre -s 1.1.1.1 -d 1.1.1.2 -t 100
    -I -p gre -s 1.1.1.1 -d 1.1.1.2 --srckey 1 -t 100
    -I -p gre -s 1.1.1.1 -d 1.1.1.2 --reply-key-src 1 -t 100
    -I -p gre -s 1.1.1.1 -d 1.1.1.2 --srckey 1 --dstkey 70000 -t 100
    -I -p gre -s 1.1.1.1 -d 1.1.1.2 --orig-key-src 3 --orig-key-dst 4 --reply-key-src 8 -t 100
    -I -p udplite -s 1.1.1.1 -d 1.1.1.2 --sport 1 -t 100
    -I -p 99 -s 1.1.1.1 -d 1.1.1.2 -t 100
    -I -p 50 -s 1.1.1.1 -d 1.1.1.2 -t 100 -r 1.1.1.2 -q 1.1.1.1
    -I -p igmp -s fd00::1 -d fd00::2 -t 100
    -I -p 1 -s 1.1.1.1 -d 1.1.1.2 --icmp-type 8 --icmp-code 0 --icmp-id 99 -t 100
    -I -p tcp -s 1.1.1.1 -d 1.1.1.2 --sport 1 --dport 2 --state NONE -t 5 --tuple-port-src 1
    -L
    -L -o save
    -L -o xml`),
  'takes back what -o save printed': lines(`
    -A -t 590 -u SEEN_REPLY,ASSURED -s 10.0.1.2 -d 10.0.1.1 -g 10.0.2.2 -n 10.0.2.1 -p tcp --sport 35048 --dport 8080 --reply-port-src 80 --reply-port-dst 35048 --state CLOSE_WAIT
    -A -t 280 -u SEEN_REPLY -s 10.0.1.2 -d 10.0.2.2 -r 10.0.2.2 -n 10.0.2.1 -p udp --sport 36431 --dport 53 --reply-port-src 53 --reply-port-dst 36431
    -A -t 280 -u SEEN_REPLY -s 10.0.1.2 -d 10.0.2.2 -r 10.0.2.2 -n 10.0.2.1 -p icmp --icmp-type 8 --icmp-code 0 --icmp-id 9135
    -A -t 280 -u SEEN_REPLY -s 10.0.1.2 -d 10.0.2.2 -g 10.0.2.3 -q 10.0.1.2 -p udp --sport 1 --dport 53 --reply-port-src 54 --reply-port-dst 1
    -A -t 280 -u SEEN_REPLY -s 10.0.1.2 -d 10.0.2.2 -r 10.0.2.2 -n 10.0.2.1 -p udp --sport 2 --dport 53 --reply-port-src 53 --reply-port-dst 777
    -A -t 280 -u SEEN_REPLY -s 10.0.1.2 -d 10.0.2.2 -r 10.0.2.3 -q 10.0.2.1 -p udp --sport 4 --dport 53 --reply-port-src 53 --reply-port-dst 778
    -L
    -L -o save`),
  'loads files': lines(`
    <-A -p udp -s 1.1.1.1
    <-L
    <-E
    <-R x
    <-h
    <--dump
    <# foo
    <  foo -D -s 9.9.9.9
    <-G -p udp
    <-D -s '1.1.1.1'
    <-A -t 280 -p udp -s 1.1.1.1 -d 1.1.1.2 --sport 2 --dport 3|-A -t 280 -p udp -s 1.1.1.1 -d 1.1.1.2 --sport 2 --dport 4|-C
    -L
    <-A -t 280 -p udp -s 1.1.1.1 -d 1.1.1.2 --sport 2 --dport 3|-A -t 280 -p udp -s 1.1.1.1 -d 1.1.1.2 --sport 2 --dport 4||-D -s 7.7.7.7|-U -s 8.8.8.8 -m 2
    -L
    <-I -t 280 -p udp -s 1.1.1.1 -d 1.1.1.2 --sport 2 --dport 5|-I -t 280 -p udp -s 1.1.1.1 -d 1.1.1.2 --sport 2 --dport 5|-A -t 280 -p udp -s 1.1.1.1 -d 1.1.1.2 --sport 2 --dport 6
    -L
    <-U -p udp -d 1.1.1.2 --sport 2 --dport 5 -m 6|-D -p udp --dport 3
    -L
    <-F
    -C`),
};

/** Changes to the eleven flows. -U is asked for one flow at a time: 1.4.7 loses output of several. */
const UPDATING: Readonly<Record<string, readonly string[]>> = {
  'updates a flow': lines(`
    -U -s fd00::1 -t 500
    -U -d fd00::2 -m 50
    -U -d 10.0.0.4 -t 510
    -U -d 10.0.0.5 -t 520
    -U -d 10.0.0.5 -u ASSURED
    -U -d 10.0.0.6 -t 530
    -U -d 10.0.0.7 -u SEEN_REPLY,ASSURED
    -U -d 10.0.0.7 -p sctp --state SHUTDOWN_SENT
    -U -d 10.0.0.8 -t 550
    -U -d 10.0.0.9 -t 560
    -U -d 10.0.0.10 -t 570
    -U -d 10.0.0.11 -m 58
    -U -d 10.0.0.3 -u SEEN_REPLY
    -U -d 10.0.0.3 -u ASSURED
    -U -d 10.0.0.3 -u EXPECTED
    -U -m 9
    -U -n -t 300
    -U -f ipv6 -m 77
    -U -i 4000000000 -m 1
    -U -d 10.0.0.3 -m 1 -m 2
    -U -r 10.0.0.3 -m 4
    -U -q 192.0.2.1 -m 5
    -U -d 10.0.0.2/32 -m 6
    -U -d 10.0.0.2 -p tcp --sport 1000 -m 0x7
    -U -d 10.0.0.2 -p tcp --sport 1 -m 0x7
    -U -d 10.0.0.3 -m 16/0xff
    -U -d 10.0.0.3 -m 16/0xff
    -U -d 10.0.0.3 -m 0x10/0x3
    -U -d 10.0.0.2 -p tcp --state TIME_WAIT
    -U -d 10.0.0.2 -p tcp --state TIME_WAIT
    -U -d 10.0.0.2 -u UNSET
    -U -d 10.0.0.2 -u UNREPLIED
    -U -d 10.0.0.3 -n 1.2.3.4
    -U -d 10.0.0.3 -u FIXED_TIMEOUT -t 440
    -U -d 10.0.0.3 -t 430
    -U -d 10.0.0.3 -m 99 -o xml
    -U -d 10.0.0.3 -m 98 -o save
    -U -d 10.0.0.3 -m 97 -o extended,id
    -U
    -U -s 203.0.113.9 -m 7
    -U -w 5
    -L -o extended`),
  'deletes by each filter': lines(`
    -D -s 203.0.113.9
    -D -u ASSURED
    -D -u UNREPLIED -p udp
    -D -m 0x17
    -D -w 3
    -D --orig-zone 3
    -D -p tcp -o xml
    -D -i 0
    -D -i x
    -D -p sctp -o xml
    -D -p gre -o extended,id,timestamp
    -D -o save
    -D
    -L`),
  'deletes everything whatever -t says': ['-D -t 500', '-L', '-D -u UNSET'],
  'deletes all with a status of nothing': ['-D -u UNSET', '-C'],
  'empties the table': [
    '-L -z',
    '-L -z -f ipv4',
    '-L -z -o id',
    '-L -z -j',
    '-Fz',
    '-C',
    '-F expect',
    '-F foo',
  ],
  'empties it whatever the family': ['-F -f ipv6', '-C', '-F -s 1.1.1.1', '-F conntrack foo', '-L -o xml'],
};

/** The names that labels have in {@link LABELLING}. */
export const LABEL_NAMES = '# names\n0 zero\n1 one\n5 five\n127 last\n3   a\n';

/** Commands about labels, with names for them. */
const LABELLING: Readonly<Record<string, readonly string[]>> = {
  'sets, clears and shows labels': lines(`
    -I -p udp -s 1.1.1.1 -d 1.1.1.2 --sport 19 --dport 2 -t 100 --label-add one --label-add last
    -U -d 10.0.0.3 --label-add one
    -U -d 10.0.0.3 --label-add last,five -o labels
    -U -d 10.0.0.3 --label-add last
    -L -o labels
    -L -o labels,xml
    -L -o labels,save
    -L -o labels,id,ktimestamp,extended -d 10.0.0.3
    -L -l one
    -L --label one,last
    -L -l one -l zero
    -L -l zero
    -L -l nope
    -L -l one,two
    -L -l one -l nope
    -l one
    -L -z -l one
    -L --label-add one
    -L --label-del=one
    -G -p udp -s 10.0.0.1 -d 10.0.0.3 --sport 1001 --dport 53 -l one -o labels
    -G -p udp -s 10.0.0.1 -d 10.0.0.3 --sport 1001 --dport 53 -l zero
    -U -d 10.0.0.3 --label-del one -o labels
    -U -d 10.0.0.3 --label-del=last -o labels
    -U -d 10.0.0.4 --label-del -o labels
    -U --label-add one --label-del -d 10.0.0.4
    -U -d 10.0.0.3 --label-del -o labels
    -D -l last -o labels
    -L -o labels`),
};

const scenes = (of: Readonly<Record<string, readonly string[]>>, before: readonly string[]): Scene[] =>
  Object.entries(of).map(([name, commands]) => ({ name, commands: [...before, ...commands] }));

/** Everything, by what it shows. */
export const SCENES: readonly Scene[] = [
  ...scenes(LOOKING, FILL),
  ...scenes(CHANGING, []),
  ...scenes(UPDATING, FILL),
];

/** What needs names for labels. */
export const LABEL_SCENES: readonly Scene[] = scenes(LABELLING, FILL);
