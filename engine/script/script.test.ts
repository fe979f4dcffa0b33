import { describe, expect, test } from 'vitest';
import { XtWorld } from '../iptables/world.ts';
import { Xtables } from '../iptables/xtables.ts';
import { NFPROTO_IPV4, NFPROTO_IPV6 } from '../rules/family.ts';
import { runScript } from './script.ts';

interface Ran {
  readonly v4: string[];
  readonly v6: string[];
  readonly errors: string[];
  readonly warnings: string[];
}

function run(text: string, args: string[] = [], files: Record<string, string> = {}): Ran {
  const world = new XtWorld();
  const v4 = new Xtables(NFPROTO_IPV4, { world });
  const v6 = new Xtables(NFPROTO_IPV6, { world });
  const read = (path: string): string | null => files[path] ?? null;
  const { errors, warnings } = runScript({ name: 's', text }, { v4, v6, args, read });
  const rules = (tables: Xtables): string[] => tables.save().match(/^-A.*|^:.*(DROP|- ).*/gm) ?? [];
  return {
    v4: rules(v4),
    v6: rules(v6),
    errors: errors.map((error) => error.message),
    warnings: warnings.map((error) => error.message),
  };
}

describe('a shell script of iptables commands', () => {
  test('hands its arguments on with "$@", each a word of its own', () => {
    const { v4, errors } = run(
      `ipt() { iptables "$@"; }\nipt -A INPUT -m comment --comment 'two words' -j DROP\n`,
    );
    expect(errors).toEqual([]);
    expect(v4).toEqual(['-A INPUT -m comment --comment "two words" -j DROP']);
  });

  test('is refused where the variable that names the tool is not set', () => {
    const { errors } = run('$IPTABLES -A INPUT -j DROP\n');
    expect(errors[0]).toContain('$IPTABLES is not set here');
  });

  test('has its variables, paths, lists, quotes and continued lines followed', () => {
    const { v4, errors } = run(
      `#!/bin/sh
IPT=/sbin/iptables; WAN="eth0"
PORTS="22 80"
$IPT -P INPUT DROP   # nothing in
for p in $PORTS \\
         443; do
  \${IPT} -A INPUT -i "$WAN" -p tcp \\
    --dport $p -j ACCEPT
done
sudo iptables -A INPUT -j LOG --log-prefix 'a b: ' || true
`,
    );
    expect(errors).toEqual([]);
    expect(v4).toEqual([
      ':INPUT DROP [0:0]',
      ...['22', '80', '443'].map((port) => `-A INPUT -i eth0 -p tcp -m tcp --dport ${port} -j ACCEPT`),
      '-A INPUT -j LOG --log-prefix "a b: "',
    ]);
  });

  test('goes on behind a command that fails, which is an error unless the script counts on it', () => {
    const { v4, errors } = run(`iptables -X none || true
iptables -D INPUT -j DROP 2>/dev/null
iptables -D INPUT -j ACCEPT
iptables -C INPUT -j DROP || iptables -A INPUT -j DROP
iptables -C INPUT -j DROP && iptables -A INPUT -j RETURN
`);
    expect(errors).toEqual(['s:3:1: Bad rule (does a matching rule exist in that chain?)']);
    expect(v4).toEqual(['-A INPUT -j DROP', '-A INPUT -j RETURN']);
  });

  test('gives text to iptables-restore, with errors at their own lines', () => {
    const { v6, errors } = run(`IF=eth0
ip6tables-restore <<END
*filter
-A INPUT -i $IF -j ACCEPT
COMMIT
END
iptables-restore -n <<'END'
*filter
-A INPUT -i $IF -j ACCEPTT
COMMIT
END
`);
    expect(v6).toEqual(['-A INPUT -i eth0 -j ACCEPT']);
    expect(errors).toEqual(["s:9:20: Chain 'ACCEPTT' does not exist (did you mean 'ACCEPT'?)"]);
  });

  test('has functions, if and case followed as far as they can be told', () => {
    const { v4, errors } = run(
      `allow() { iptables -A INPUT -s $1 -j ACCEPT; }
case "$1" in
  start) allow 10.0.0.1 ;;
  *) echo usage; exit 1 ;;
esac
if [ -x /sbin/iptables ] && [ "$X" != y ]; then allow 10.0.0.2; else allow 10.0.0.3; fi
exit 0
allow 10.0.0.4
`,
      ['start'],
    );
    expect(errors).toEqual([]);
    expect(v4).toEqual(['-A INPUT -s 10.0.0.1/32 -j ACCEPT', '-A INPUT -s 10.0.0.2/32 -j ACCEPT']);
  });

  test.each([
    [
      'iptables -A INPUT -s $(hostname -i)',
      's:1:22: what $(hostname -i) gives is not known here (write the value itself)',
    ],
    ['iptables -A INPUT -s $NET', 's:1:22: $NET is not set here (write NET=… before it)'],
    [
      'if grep -q x /y; then iptables -F; fi',
      's:1:1: which way this goes is not known here (what it asks cannot be told)',
    ],
    [
      'while read a; do iptables -A INPUT -s $a; done',
      's:1:1: how often this loop runs is not known here (write the commands out, or use for)',
    ],
    [
      'curl -s example.org | iptables-restore',
      's:1:23: what comes through a pipe is not known here (give the text with <<EOF)',
    ],
    [
      'iptables-restore < /etc/rules',
      's:1:1: the rules come from /etc/rules, which is not read (give that file as well)',
    ],
    ['iptables -A INPUT -j "DROP', 's:1:22: a quote " is not closed'],
  ])('is not guessed at: %s', (text, message) => {
    expect(run(text).errors).toEqual([message]);
  });

  test.each([
    "eval 'iptables -F'",
    'eval iptables -A INPUT -s $(hostname -i) -j DROP',
    'bash -c "iptables -F"',
    '/bin/sh -ec "ip6tables -F"',
    'xargs -n 1 iptables -A INPUT -s',
    "trap 'iptables -F' EXIT",
    'allow() { iptables -A INPUT -s $1 -j ACCEPT; }',
    '. ./more.sh',
    'bash ./more.sh x',
  ])('is not passed over where nobody knows whether it runs: %s', (command) => {
    const { errors } = run(`if grep -q x /y; then ${command}; fi`, [], { './more.sh': 'iptables -F' });
    expect(errors).toEqual(['s:1:1: which way this goes is not known here (what it asks cannot be told)']);
  });

  test.each([
    "eval 'echo iptables'",
    'bash -c "iptables -L"',
    'bash',
    'xargs rm',
    "trap 'rm -f /tmp/x' EXIT",
    'say() { echo iptables; }',
    '. ./none.sh',
  ])('is passed over if no rule depends on it: %s', (command) => {
    expect(run(`if grep -q x /y; then ${command}; fi; iptables -N c`)).toMatchObject({ errors: [] });
  });

  test('reads other files if it is given them, and warns of commands that it does not follow', () => {
    const { v4, warnings } = run(
      '. /etc/conf\niptables-restore < /etc/rules\nip link set lo up\necho done\n',
      [],
      {
        '/etc/conf': 'iptables -P OUTPUT DROP\n',
        '/etc/rules': '*mangle\n-A INPUT -j ACCEPT\nCOMMIT\n',
      },
    );
    expect(v4).toEqual(['-A INPUT -j ACCEPT', ':OUTPUT DROP [0:0]']);
    expect(warnings).toEqual(["s:3:1: what 'ip' does is not followed"]);
  });

  test.each([
    ['iptbles -A INPUT -j DROP', "unknown command 'iptbles' (did you mean 'iptables'?)"],
    ['/sbin/ip6table -P INPUT DROP', "unknown command 'ip6table' (did you mean 'ip6tables'?)"],
    ['ipt -P INPUT DROP', "unknown command 'ipt'"],
    ['firewall -I INPUT -j DROP', "unknown command 'firewall'"],
    ['nft add rule ip t c drop', "commands of nft are not followed in a script of iptables'"],
  ])('says that rules are lost with: %s', (command, message) => {
    const { errors } = run(`iptables -F\n${command} || true\n`);
    expect(errors).toEqual([expect.stringContaining(`s:2:1: ${message}`)]);
  });

  test.each([
    'nft list ruleset',
    'ebtables -A INPUT -j DROP',
    'ip -6 route add default',
    'grep -A 5 x',
    'ps -A',
  ])('may hold commands that no rule of it depends on: %s', (command) => {
    expect(run(`iptables -F\n${command}\n`).errors).toEqual([]);
  });

  test('fills IP sets that rules ask', () => {
    const { v4, errors } = run(`ipset create bad hash:ip
ipset add bad 192.0.2.1
iptables -A INPUT -m set --match-set bad src -j DROP
iptables -A INPUT -m set --match-set worse src -j DROP
`);
    expect(v4).toEqual(['-A INPUT -m set --match-set bad src -j DROP']);
    expect(errors).toHaveLength(1);
  });

  test('comes to an end, however it is nested and repeated', () => {
    expect(run(`${'('.repeat(50000)}iptables -F`).errors[0]).toContain('too deep');
    const ten = 'for X in 0 1 2 3 4 5 6 7 8 9; do ';
    const loops = run(`${ten.repeat(8)}Y=$X$Y; iptables -Z; ${'done; '.repeat(8)}`);
    expect(loops.errors[0]).toContain('the script has run');
    expect(run('f() { f; f; }\nf\niptables -P INPUT DROP\n').errors[0]).toContain('without end');
    const grown = run(`A=aaaaaaaaaaaaaaaa\n${'A=$A$A$A$A\n'.repeat(40)}iptables -A INPUT -s $A\n`);
    expect(grown.errors[0]).toContain('a value this long');
  });
});
