// biome-ignore-all lint/suspicious/noTemplateCurlyInString: a shell has these, too
/** What a shell does itself; each script was run by bash or dash too, and gave these rules (iptables 1.8.9). */
import { describe, expect, test } from 'vitest';
import { worldSets } from '../iptables/ipset-world.ts';
import { XtWorld } from '../iptables/world.ts';
import { Xtables } from '../iptables/xtables.ts';
import { NFPROTO_IPV4, NFPROTO_IPV6 } from '../rules/family.ts';
import { runScript } from './script.ts';

interface Ran {
  readonly v4: string[];
  readonly v6: string[];
  readonly sets: string;
  readonly nft: string[];
  readonly errors: string[];
  readonly warnings: string[];
}

const FILES: Readonly<Record<string, string>> = {
  'ips.txt': '10.5.0.1\n10.5.0.2\n',
  'list.txt': '# blocked\n10.6.0.1\n\n10.6.0.2\n',
  './fw.conf': 'SSHPORT=2222\n',
  'rules.v4': '*filter\n:INPUT DROP [0:0]\n-A INPUT -i lo -j ACCEPT\nCOMMIT\n',
};

function run(text: string, args: string[] = []): Ran {
  const world = new XtWorld();
  const v4 = new Xtables(NFPROTO_IPV4, { world });
  const v6 = new Xtables(NFPROTO_IPV6, { world });
  const nft: string[] = [];
  const read = (path: string): string | null => FILES[path] ?? null;
  const takeNft = (source: { text: string }): [] => {
    nft.push(source.text.trim());
    return [];
  };
  const { errors, warnings } = runScript({ name: 's', text }, { v4, v6, args, read, nft: takeNft });
  const rules = (tables: Xtables): string[] => tables.save().match(/^-A.*|^:.*(DROP|- ).*/gm) ?? [];
  const texts = (list: readonly Error[]): string[] => list.map((error) => error.message);
  return {
    v4: rules(v4),
    v6: rules(v6),
    sets: worldSets(world).save(),
    nft,
    errors: texts(errors),
    warnings: texts(warnings),
  };
}

/** The names of the chains that a script makes, with its errors. */
function chains(text: string, args: string[] = []): string[] {
  const { v4, errors } = run(text, args);
  return [...v4.flatMap((line) => /^:(\S+) -/.exec(line)?.[1] ?? []), ...errors];
}

describe('a shell script', () => {
  test.each([
    ['"$@" without arguments', 'f() { iptables "$@" -N f$#; }\nf\nf -w', ['f0', 'f1']],
    ['empty arrays', 'a=()\niptables "${a[@]}" -N a\niptables -N "x${a[@]}"', ['a', 'x']],
    ['files named by $$', 'echo d1 > /tmp/x.$$\niptables -N $(cat /tmp/x.$$)', ['d1']],
    ['the folder of the script', 'D=$(cd "$(dirname "$0")" && pwd)\niptables -N d$D', ['d.']],
    [
      'folders within folders',
      '(cd /etc; cd fw; iptables -N d$(pwd))\ncd /x\niptables -N d$PWD',
      ['d/etc/fw', 'd/x'],
    ],
    ['braces', 'for i in {1..3} x{a,b}; do iptables -N c$i; done', ['c1', 'c2', 'c3', 'cxa', 'cxb']],
    [
      'ranges with steps and zeros',
      'for i in {08..10} {9..5..4}; do iptables -N c$i; done',
      ['c08', 'c09', 'c10', 'c5', 'c9'].sort(),
    ],
    ['seq', 'for i in $(seq 2) `seq 5 5 10`; do iptables -N c$i; done', ['c1', 'c10', 'c2', 'c5']],
    ['arithmetic', 'i=3; ((i += 4)); iptables -N c$((i * 2 > 13 ? 1 << 4 : 0x10 + 1))', ['c16']],
    [
      'quotes around values that are many, none or numbers',
      'set --; for x in "$@" "" "$((1+1))"; do iptables -N "c$x"; done; set -- a; for x in ""$@"" "$@$((1))"; do iptables -N "$x"; done',
      ['a', 'a1', 'c', 'c2'],
    ],
    [
      'arithmetic of old scripts',
      'a=(4 5); ((a[2] = a[0] * a[1])); iptables -N c$[ 1 << (4 - 2) ]"$[a[1] + 1]"$((a[-1])); iptables -N "$[x"',
      ['$[x', 'c4620'],
    ],
    ['loops that count', 'for ((i=0; i<2; i++)); do iptables -N c$i; done', ['c0', 'c1']],
    [
      'while and until',
      'i=0; while [ $i -lt 2 ]; do iptables -N c$i; i=$((i+1)); done; until [ $i = 3 ]; do let i++; iptables -N u$i; done',
      ['c0', 'c1', 'u3'],
    ],
    [
      'break and continue of loops around',
      'for a in x y; do for b in 1 2 3; do [ $b = 2 ] && continue 2; iptables -N $a$b; done; done; while :; do break; done',
      ['x1', 'y1'],
    ],
    [
      'trimmed values',
      'a=net-b.c/24; iptables -N ${a%%/*}; iptables -N ${a##*-}_; iptables -N ${a/b./z}; iptables -N ${a:0:3}',
      ['c/24_'.replace('c/', 'b.c/'), 'net', 'net-b.c', 'net-zc/24'],
    ],
    ['letters of another case', 'a=up; iptables -N ${a^^}; B=LOW; iptables -N ${B,,}', ['UP', 'low']],
    [
      'defaults',
      ': ${A:=x} "${B:-${A}y}"; iptables -N $A; iptables -N ${B:-${A}y}; iptables -N z${A:+2}',
      ['x', 'xy', 'z2'],
    ],
    [
      'arrays',
      'A=(a "b c"); A+=(d); iptables -N n${#A[@]}; for x in "${!A[@]}"; do iptables -N i$x; done; iptables -N ${A[-1]}',
      ['d', 'i0', 'i1', 'i2', 'n3'],
    ],
    [
      'arrays by word',
      'declare -A M=([a]=x); M["b"]=y; for k in "${!M[@]}"; do iptables -N $k${M[$k]}; done',
      ['ax', 'by'],
    ],
    [
      'names of variables',
      'a_p=22; v=a_p; iptables -N c${!v}; eval q=\\$${v}; iptables -N e$q',
      ['c22', 'e22'],
    ],
    ['what a function prints', 'f() { echo "n$1"; }; iptables -N $(f 5)', ['n5']],
    ['local variables', 'p=7; f() { local p=$1; iptables -N l$p; }; f 1; iptables -N g$p', ['g7', 'l1']],
    ['subshells', 'x=1; (x=2; iptables -N s$x; exit 3) || iptables -N f; iptables -N t$x', ['f', 's2', 't1']],
    [
      'functions that return',
      'f() { return 1; iptables -N no; }; f || iptables -N yes; if f; then :; else iptables -N else; fi',
      ['else', 'yes'],
    ],
    [
      'arguments',
      'iptables -N $2; shift; while [ $# -gt 0 ]; do iptables -N w$1; shift; done; set -- q; iptables -N $1',
      ['b', 'q', 'wb', 'wc'],
    ],
    [
      'text tools',
      's=tcp/443; iptables -N $(echo $s | cut -d/ -f2); iptables -N $(echo in | tr a-z A-Z); iptables -N $(basename /a/w.rules .rules)',
      ['443', 'IN', 'w'],
    ],
    ['printf', "printf -v x '%02d' 7; iptables -N c$x; iptables -N \"$(printf 'a-%s' b)\"", ['a-b', 'c07']],
    [
      'read',
      'IFS=: read -r h p <<< "a:b"; iptables -N $h$p; IFS=, read -r -a B <<< "x,y"; iptables -N ${B[1]}',
      ['ab', 'y'],
    ],
    ['IFS', 'L=a,b; IFS=,; for x in $L; do iptables -N $x; done', ['a', 'b']],
    [
      'patterns of case',
      'for p in 10.1 eth0 22; do case $p in [0-9]*.*) iptables -N ip;; eth[!1-9]) iptables -N if;& z) iptables -N next;; *) iptables -N else;; esac; done',
      ['else', 'if', 'ip', 'next'],
    ],
    [
      '[[ … ]]',
      'a=10.0.0.1; if [[ $a == 10.* && ! $a =~ : ]]; then iptables -N y; fi; [[ $a =~ ^10\\.([0-9]+) ]] && iptables -N r${BASH_REMATCH[1]}',
      ['r0', 'y'],
    ],
    ['[ -a -o ]', 'if [ a = a -a -n "" -o x ]; then iptables -N y; fi', ['y']],
    ['$?', 'iptables -C INPUT -j DROP 2>/dev/null; if [ $? -ne 0 ]; then iptables -N y; fi', ['y']],
    [
      'a file that it writes',
      'echo "*filter" > f; echo ":c - [0:0]" >> f; echo COMMIT >>f; iptables-restore < f',
      ['c'],
    ],
    ['aliases', "alias i='iptables -w'\ni -N x", ['x']],
    [
      'slices',
      'A=(a b c); for x in "${A[@]:1:2}" "${@:2:1}_" "${A[@]/#/p}"; do iptables -N $x; done',
      ['b', 'b_', 'c', 'pa', 'pb', 'pc'],
    ],
    ['pipefail', 'set -e -o pipefail; iptables -N a; if false | true; then iptables -N b; fi', ['a']],
    ['files by two names', 'echo "iptables -N a" > f; . ./f; bash f 2>/dev/null', ['a']],
    ['trap … EXIT', "trap 'iptables -N last' EXIT; iptables -N first; exit 0", ['first', 'last']],
    ['xargs', 'echo a b | xargs -n1 iptables -N', ['a', 'b']],
    ['a variable in front that is empty', 'SUDO=; $SUDO iptables -N x', ['x']],
    [
      'sudo, env and the like',
      'sudo -n iptables -N x; env A=b iptables -N y; nice -n 5 iptables -N z',
      ['x', 'y', 'z'],
    ],
    [
      'bash -c, which gets what is exported',
      "A=1 B=2; export A; bash -c 'iptables -N $1$A${B-none}' x q",
      ['q1none'],
    ],
    ['mapfile', 'mapfile -t A < ips.txt; iptables -N n${#A[@]}', ['n2']],
  ])('follows %s', (_, text, names) => {
    expect(chains(text, ['a', 'b', 'c'])).toEqual(names);
  });

  test('follows getopts', () => {
    const text =
      'while getopts "i:v" o; do case $o in i) I=$OPTARG;; v) V=1;; esac; done; shift $((OPTIND-1)); iptables -N $I$V$1';
    expect(chains(text, ['-vi', 'x', 'rest'])).toEqual(['x1rest']);
  });

  test.each([
    [
      'a here-document',
      'while read -r ip rest; do iptables -A INPUT -s $ip -j DROP; done <<E\n10.0.0.1 x\n10.0.0.2\nE\n',
      ['10.0.0.1', '10.0.0.2'],
    ],
    [
      'a file',
      'while read ip; do case "$ip" in ""|\\#*) continue;; esac; iptables -A INPUT -s $ip -j DROP; done < list.txt',
      ['10.6.0.1', '10.6.0.2'],
    ],
    [
      'a pipe',
      'cat ips.txt | while read ip; do iptables -A INPUT -s $ip -j DROP; done',
      ['10.5.0.1', '10.5.0.2'],
    ],
    [
      'grep',
      "for ip in `grep -v '^#' list.txt`; do iptables -A INPUT -s $ip -j DROP; done",
      ['10.6.0.1', '10.6.0.2'],
    ],
    [
      '<(…)',
      "while read ip; do iptables -A INPUT -s $ip -j DROP; done < <(printf '10.0.0.1\\n10.0.0.2\\n')",
      ['10.0.0.1', '10.0.0.2'],
    ],
  ])('reads addresses from %s', (_, text, addresses) => {
    const { v4, errors } = run(text);
    expect(errors).toEqual([]);
    expect(v4).toEqual(addresses.map((ip) => `-A INPUT -s ${ip}/32 -j DROP`));
  });

  test.each([
    ['a pipe', "echo -e '*filter\\n-A INPUT -j DROP\\nCOMMIT' | iptables-restore -n"],
    [
      'a group',
      '{ echo "*filter"; for t in DROP; do echo "-A INPUT -j $t"; done; echo COMMIT; } | iptables-restore',
    ],
    ['<<<', "iptables-restore <<< $'*filter\\n-A INPUT -j DROP\\nCOMMIT'"],
    [
      'a command in a here-document',
      'iptables-restore <<E\n*filter\n$(for t in DROP; do echo "-A INPUT -j $t"; done)\nCOMMIT\nE\n',
    ],
    ['iptables-save', 'iptables -A INPUT -j DROP; iptables-save > x; iptables -F; iptables-restore < x'],
  ])('gives iptables-restore what comes from %s', (_, text) => {
    expect(run(text)).toMatchObject({ v4: ['-A INPUT -j DROP'], errors: [] });
  });

  test('does what stands before a pipe, whatever is behind it', () => {
    expect(run('iptables -A INPUT -j DROP 2>&1 | logger -t fw').v4).toEqual(['-A INPUT -j DROP']);
  });

  test('asks for rules and sets that are there', () => {
    expect(
      chains(
        'iptables -nL X >/dev/null 2>&1 || iptables -N X\nif iptables -S X | grep -q "^-N X"; then iptables -N found; fi',
      ),
    ).toEqual(['X', 'found']);
    const { sets } = run(
      'ipset list a >/dev/null 2>&1 || ipset create a hash:ip\nipset add a 1.2.3.4; ipset test a 1.2.3.5 2>/dev/null || ipset add a 1.2.3.5',
    );
    expect(sets.match(/^add/gm)).toHaveLength(2);
  });

  test('gives commands of nft to nft', () => {
    const text =
      'nft add table ip t\nfor p in 22 80; do nft add rule ip t c tcp dport $p accept; done\nnft -f - <<E\nflush ruleset\nE\n';
    expect(run(text).nft).toEqual([
      'add table ip t',
      'add rule ip t c tcp dport 22 accept',
      'add rule ip t c tcp dport 80 accept',
      'flush ruleset',
    ]);
  });

  test('says for which error it ends', () => {
    const text = 'ipt() { iptables "$@" || exit 1; }\nipt -A INPUT -j ACCEPT\nipt -A INPUT -j DORP\nipt -F\n';
    const { v4, errors } = run(text);
    expect(v4).toEqual(['-A INPUT -j ACCEPT']);
    expect(errors).toEqual([expect.stringContaining("Chain 'DORP' does not exist")]);
  });

  test('takes start for $1 where it is not known, and says so', () => {
    const text = 'case "$1" in\n start) iptables -P INPUT DROP;;\n stop) iptables -F;;\nesac\n';
    expect(run(text)).toMatchObject({
      v4: [':INPUT DROP [0:0]'],
      errors: [],
      warnings: ["s:1:6: read as if it were called with 'start'"],
    });
  });

  test('ends with set -e at what fails, and says so', () => {
    const { v4, errors } = run(
      'set -e\niptables -A INPUT -j ACCEPT\niptables -X a || true\niptables -X b 2>/dev/null\niptables -F\n',
    );
    expect(v4).toEqual(['-A INPUT -j ACCEPT']);
    expect(errors).toEqual(['s:4:1: this fails, and set -e ends the script here']);
  });

  test('reads files that it names, and warns of those that are not there', () => {
    const { v4, warnings } = run(
      '. ./fw.conf\n[ -r /etc/none ] && . /etc/none\n. /lib/lsb/init-functions\n. /etc/other\niptables -A INPUT -p tcp --dport $SSHPORT -j ACCEPT\n',
    );
    expect(v4).toEqual(['-A INPUT -p tcp -m tcp --dport 2222 -j ACCEPT']);
    expect(warnings).toEqual(['s:4:1: the script /etc/other is not there: what it does is not followed']);
  });

  test.each([
    [
      'iptables -A INPUT -j DROP\r\n',
      's:1:26: the line ends in a carriage return (a shell wants Unix line ends)',
    ],
    [
      'IPT="iptables -w"\n"$IPT" -A INPUT -j DROP',
      "s:2:1: unknown command 'iptables -w' (without the quotes it is a command and its options)",
    ],
    [
      'C=$(find / -name iptables)\n$C -A INPUT -j DROP',
      's:2:1: which command this is is not known here (write its name)',
    ],
    [
      'for f in /etc/fw.d/*; do iptables -N $f; done',
      's:1:10: which files this names is not known here (write the names out)',
    ],
    [
      'if ping -c1 x; then T=DROP; fi\niptables -A INPUT -j $T',
      's:2:22: what $T gives is not known here (write the value itself)',
    ],
    [
      'X=$(curl x)\nfor i in $X; do iptables -A INPUT -s $i -j DROP; done',
      's:2:10: what $(curl x) gives is not known here (write the value itself)',
    ],
    [
      'curl x | while read i; do iptables -A INPUT -s $i; done',
      's:1:10: how often this loop runs is not known here (write the commands out, or use for)',
    ],
    [
      'curl x > f\niptables-restore < f',
      's:2:1: the rules come from f, which is not read (give that file as well)',
    ],
    [
      'curl x | xargs -n1 iptables -A INPUT -j DROP -s',
      's:1:10: what comes through a pipe is not known here (give the text with <<EOF)',
    ],
    [': ${NEED:?}', 's:1:3: $NEED is not set here, which ends the script (write NEED=… before it)'],
    ['[[ a\niptables -F', "s:2:12: ']]' was expected here"],
    ['iptables-restore -w rules.v4', 's:1:1: wait seconds not numeric'],
    [
      'iptables -6 -A INPUT -j DROP',
      's:1:10: this is not for the family of -6 (iptables fails without a word)',
    ],
  ])('says what it does not follow: %s', (text, message) => {
    expect(run(text).errors).toEqual([message]);
  });
});
