/** Which values this machine's kernel takes for each sysctl, and which it has in a fresh namespace. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Kernel, kernelUsable } from '../../tests/kernel/oracle.ts';
import { Settings, SYSCTLS, type Sysctl } from './settings.ts';

/** Belong to the whole machine, their defaults come from its memory: never written, never compared. */
const GLOBAL = ['nf_conntrack_max', 'nf_conntrack_expect_max'];
const OURS = SYSCTLS.filter((s) => s.classic !== true && !GLOBAL.includes(s.name));

/** For each line `path<TAB>value`: writes it, prints `ok` and what can be read then, or `refused`; undoes it. */
const WRITE = `while IFS="$(printf '\\t')" read -r path value; do
  old=$(cat "$path")
  if printf %s "$value" >"$path"; then echo "ok $(cat "$path")"; else echo refused; fi
  printf %s "$old" >"$path"
done 2>/dev/null`;

const NUMBERS = [-1, 0, 1, 2, 3, 254, 255, 256, 65535, 65536, 3145727, 3145728, 4194304, 4194305];
const TEXTS = [
  '7',
  ' 7',
  '7 ',
  '010',
  '0x10',
  '0X1f',
  '-0x10',
  '08',
  '+3',
  '1.5',
  'abc',
  '1e3',
  '3s',
  '--3',
  '0x',
];

function pathOf(name: string): string {
  const full = name.startsWith('net.') ? name : `net.netfilter.${name}`;
  return `/proc/sys/${full.replaceAll('.', '/')}`;
}

/** Small numbers and the borders of the sysctl's range; beyond 2^53 a number is none of ours. */
function candidates(sysctl: Sysctl): number[] {
  const borders = [sysctl.min - 1, sysctl.min, sysctl.max, sysctl.max + 1];
  return [...new Set([...NUMBERS, ...borders])].filter((value) => Number.isSafeInteger(value));
}

/** What we make of a value, in the words of {@link WRITE}. */
function ours(name: string, value: string | number): string {
  const settings = new Settings();
  try {
    settings.set(name, value);
    return `ok ${settings.get(name)}`;
  } catch {
    return 'refused';
  }
}

describe.skipIf(!kernelUsable())('settings are those of the kernel', () => {
  let kernel: Kernel;
  beforeAll(async () => {
    kernel = await Kernel.open({ log: false });
  });
  afterAll(() => kernel.close());

  /** What the kernel makes of values. */
  async function theirs(
    pairs: readonly (readonly [name: string, value: string | number])[],
  ): Promise<string[]> {
    const input = pairs.map(([name, value]) => `${pathOf(name)}\t${value}\n`).join('');
    const { stdout } = await kernel.exec(['sh', '-c', WRITE], input);
    return stdout.trim().split('\n');
  }

  test('every default is that of a fresh namespace', async () => {
    const { stdout } = await kernel.exec(['cat', ...OURS.map(({ name }) => pathOf(name))]);
    const values = stdout.trim().split('\n').map(Number);
    expect(Object.fromEntries(OURS.map(({ name, value }) => [name, value]))).toEqual(
      Object.fromEntries(OURS.map(({ name }, i) => [name, values[i]])),
    );
  });

  test('no sysctl of conntrack is missing but those that cannot be written', async () => {
    const { stdout } = await kernel.exec(['ls', '/proc/sys/net/netfilter']);
    const names = stdout.split('\n').filter((name) => name.startsWith('nf_conntrack_'));
    const known = new Set(SYSCTLS.map(({ name }) => name));
    expect(names.filter((name) => !known.has(name))).toEqual(['nf_conntrack_buckets', 'nf_conntrack_count']);
  });

  test('each takes and refuses the same numbers', async () => {
    const pairs = OURS.flatMap((sysctl) => candidates(sysctl).map((value) => [sysctl.name, value] as const));
    const answers = await theirs(pairs);
    expect(answers).toHaveLength(pairs.length);
    const told = (all: readonly string[]) => pairs.map(([name, value], i) => `${name}=${value}: ${all[i]}`);
    expect(told(pairs.map(([name, value]) => ours(name, value)))).toEqual(told(answers));
    expect(answers.filter((answer) => answer === 'refused').length).toBeGreaterThan(100);
  });

  test('numbers are read the same: octal, hexadecimal, blanks around them', async () => {
    const pairs = TEXTS.map((text) => ['nf_conntrack_udp_timeout', text] as const);
    const answers = await theirs(pairs);
    const told = (all: readonly string[]) => TEXTS.map((text, i) => `'${text}' ${all[i]}`);
    expect(told(TEXTS.map((text) => ours('nf_conntrack_udp_timeout', text)))).toEqual(told(answers));
  });
});
