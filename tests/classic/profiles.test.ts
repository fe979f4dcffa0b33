import { expect, test } from 'vitest';
import { PROFILES, type Profile } from '../../engine/conntrack/profile.ts';
import { Settings, SYSCTLS } from '../../engine/conntrack/settings.ts';

type Feature = Exclude<keyof Profile, 'name' | 'title' | 'defaults'>;

/** Every feature that a profile has: what it is, and its value in words. A new one does not compile without a row. */
const FEATURES: Readonly<Record<Feature, readonly [fact: string, value: (profile: Profile) => string]>> = {
  tcpWindow: [
    'TCP',
    (p) =>
      p.tcpWindow ? 'sequence numbers, windows and flags are checked' : 'states alone: no window, any flags',
  ],
  udpStreamAfter: [
    'A UDP flow is a stream',
    (p) =>
      p.udpStreamAfter === 0
        ? 'from the packet after the first answer on'
        : `from a packet on that comes after an answer and ${p.udpStreamAfter / 1000} s after the first`,
  ],
  modernTrackers: [
    'SCTP, GRE, UDP-Lite',
    (p) => (p.modernTrackers ? 'a tracker each' : 'as protocols without any: addresses and one timer'),
  ],
  autoHelpers: [
    'Helpers that flows get by their port alone',
    (p) => (p.autoHelpers.length === 0 ? 'none: rules give them' : p.autoHelpers.join(', ')),
  ],
  classicProc: ['The table under /proc', (p) => (p.classicProc ? '`ip_conntrack`' : '`nf_conntrack`')],
};

const UNITS: readonly (readonly [seconds: number, name: string])[] = [
  [86400, 'd'],
  [3600, 'h'],
  [60, 'min'],
];

/** Seconds, and in larger units where they are whole: `432000 (5 d)`. */
function secondsText(seconds: number): string {
  const unit = UNITS.find(([size]) => seconds >= size && seconds % size === 0);
  return unit === undefined ? `${seconds}` : `${seconds} (${seconds / unit[0]} ${unit[1]})`;
}

function row(...cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

function settingRow(name: string, takes: string, seconds: boolean): string {
  const values = PROFILES.map((profile) => {
    const entry = new Settings(profile).entries().find(({ sysctl }) => sysctl.name === name);
    if (entry === undefined) return '–';
    return seconds ? secondsText(entry.value) : `${entry.value}`;
  });
  return row(`\`${name}\``, takes, ...values);
}

function profilesPage(): string {
  const names = PROFILES.map((profile) => `\`${profile.name}\``);
  const features = Object.values(FEATURES).map(([fact, value]) => row(fact, '', ...PROFILES.map(value)));
  const settings = SYSCTLS.map((s) =>
    settingRow(s.name, `${s.min} to ${s.max}${s.unit === 'seconds' ? ' s' : ''}`, s.unit === 'seconds'),
  );
  return `# Profiles

A profile is what one generation of the kernel does differently from the others. \`--profile NAME\` chooses one,
\`--sysctl NAME=VALUE\` changes a setting of it; a program gives \`new Settings(profile)\` to its \`Firewall\`.

${PROFILES.map((profile) => `- **\`${profile.name}\`**: ${profile.title}.`).join('\n')}

\`linux-6.18\` is measured: defaults, ranges and every decision were compared with that kernel. The two others are the
classic system as its documents of 2001 to 2005 tell of it; \`tests/classic/\` has a test for each of their facts. What
they do not tell is as in \`linux-6.18\`: IPv6 is tracked too, and two packets of one new flow that are under way at the
same time meet the same fate. \`ip_conntrack_max\`, which that kernel made from the memory (8184 at 128 MB), has to be
set.

Every setting goes by the names of all generations, with dots or slashes: \`nf_conntrack_udp_timeout\` is also
\`net.netfilter.nf_conntrack_udp_timeout\`, \`net.ipv4.netfilter.ip_conntrack_udp_timeout\`, \`ip_ct_udp_timeout\` and
\`/proc/sys/net/ipv4/netfilter/ip_conntrack_udp_timeout\`. Ranges are the kernel's (it has 250 ticks a second, which
bounds the seconds); a time of 0 or less has run out before the next packet comes. A low threshold may not be above
its high one.

${row('Fact', 'Takes', ...names)}
|---|---|---|---|---|
${[...features, ...settings].join('\n')}
`;
}

test('docs/profiles.md has every fact of every profile as the engine has it (npx vitest run tests/classic/profiles.test.ts -u writes it)', async () => {
  await expect(profilesPage()).toMatchFileSnapshot('../../docs/profiles.md');
});

test('a default that only a profile has is one of the settings', () => {
  for (const profile of PROFILES)
    for (const [name, value] of Object.entries(profile.defaults))
      expect(new Settings(profile).get(name), `${profile.name} ${name}`).toBe(value);
});
