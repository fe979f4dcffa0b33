/** Command lines of conntrack(8) that change a table, by what they show. */
import { lines } from './conntrack-command-lines.ts';

/** Commands that change the table; what is in it is compared after each scene. */
export const CHANGING: Readonly<Record<string, readonly string[]>> = {
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
    -I -p udp -s 1.1.1.2 -d 1.1.1.1 -r 9.9.9.9 --sport 2 --dport 1 -t 100
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
    -I -p udp -s 1.1.1.1 -d 1.1.1.2 --sport 1 --dport 2 -t 100 -m 12 -u ASSURED
    -I -p udp -s 1.1.1.1 -d 1.1.1.2 --sport 2 --dport 2 -t 100 -m 12 -u UNREPLIED
    -I -p udp -s 1.1.1.1 -d 1.1.1.2 --sport 3 --dport 2 -t 100 -u ASSURED -m 12/3 -u SEEN_REPLY
    -I -p udp -s 1.1.1.1 -d 1.1.1.2 --sport 4 --dport 2 -t 100 -u ASSURED -m 12
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
  'reads numbers of each base': lines(`
    -I -p udp -s 1.1.1.1 -d 1.1.1.2 --sport 1 --dport 9 -t 100 -w 0 --orig-zone 0
    -I -p udp -s 1.1.1.1 -d 1.1.1.2 --sport 1 --dport 1 -t 0x17
    -I -p udp -s 1.1.1.1 -d 1.1.1.2 --sport 1 --dport 2 -t 0100
    -I -p udp -s 1.1.1.1 -d 1.1.1.2 --sport 1 --dport 3 -t 100 -w 0x17
    -I -p udp -s 1.1.1.1 -d 1.1.1.2 --sport 1 --dport 5 -t 100 --orig-zone 010
    -I -p udp -s 1.1.1.1 -d 1.1.1.2 --sport 1 --dport 7 -t 100 -m 010
    -I -p udp -s 1.1.1.1 -d 1.1.1.2 --sport 010 --dport 0x8 -t 100
    -I -p gre -s 1.1.1.1 -d 1.1.1.2 --srckey 010 --dstkey 0x8 -t 100
    -I -p sctp -s 1.1.1.1 -d 1.1.1.2 --sport 1 --dport 2 -t 100 --state ESTABLISHED --orig-vtag 0x10 --reply-vtag 010
    -L
    -L -p sctp -o save`),
  'loads files': lines(`
    <-A -p udp -s 1.1.1.1
    <-L
    <-E
    <-R x
    <-h
    <--dump
    <foo
    <-p udp
    <-s 1.1.1.1 -p udp
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
    <-U -p udp -d 1.1.1.2 --sport 2 --dport 5 -m 6
    <-D -p udp --dport 3
    <-G -p udp -s 1.1.1.1 -d 1.1.1.2 --sport 2 --dport 5
    -L
    <-F
    -C`),
};

/** Changes to the eleven flows. -U is asked for one flow at a time: 1.4.7 loses output of several. */
export const UPDATING: Readonly<Record<string, readonly string[]>> = {
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
    -U -d 10.0.0.5 -t 0
    -U -d 10.0.0.4 -t 0
    -L -o extended`),
  'deletes by each filter': lines(`
    -D -s 203.0.113.9
    -D -s notip
    -D -p udp -t 5
    -D -r 10.0.0.3 -t 900
    -D -p udp --dport 99
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
export const LABELLING: Readonly<Record<string, readonly string[]>> = {
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
    -U -d 10.0.0.3 --label-del zero -o labels
    -U -d 10.0.0.3 --label-del=last -o labels
    -U -d 10.0.0.4 --label-del -o labels
    -U --label-add one --label-del -d 10.0.0.4
    -U -d 10.0.0.3 --label-del -o labels
    -D -l last -o labels
    -L -o labels`),
};
