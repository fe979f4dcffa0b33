import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { wantsColour } from './colour.ts';
import { commandHelp, generalHelp } from './help-text.ts';
import { checkOptions, listOf, OPTIONS, parseCommandLine, takes } from './options.ts';
import { COMMANDS } from './run.ts';
import { VERSION } from './version.ts';

describe('a command line', () => {
  test('may have options anywhere, before and behind the command and its files', () => {
    const { words, given } = parseCommandLine([
      '--json',
      'trace',
      'a.pcap',
      '-q',
      'b.pcap',
      '--sysctl',
      'x=1',
      '--sysctl=y=2',
    ]);
    expect(words).toEqual(['trace', 'a.pcap', 'b.pcap']);
    expect(given.has('json')).toBe(true);
    expect(given.has('quiet')).toBe(true);
    expect(given.all('sysctl')).toEqual(['x=1', 'y=2']);
  });

  test('ends its options at --, and - is a file', () => {
    expect(parseCommandLine(['trace', '-', '--', '--json']).words).toEqual(['trace', '-', '--json']);
  });

  test.each([
    [['trace', '--fliter', 'x'], "unknown option '--fliter': did you mean '--filter'?"],
    [['trace', '--nope'], /unknown option '--nope'$/],
    [['trace', '--colour=never'], "unknown option '--colour': did you mean '--color'?"],
    [['trace', '--zzzzzzzzzzz'], "unknown option '--zzzzzzzzzzz'"],
    [['trace', '-Z'], "unknown option '-Z'"],
    [['trace', '--filter'], "option '--filter' needs a value: EXPR"],
    [['trace', '--json=yes'], "option '--json' takes no value, but has 'yes'"],
    [['trace', '--profile', 'a', '--profile', 'b'], "option '--profile' is given twice"],
  ])('%j is refused: %s', (args, message) => {
    expect(() => parseCommandLine(args)).toThrow(message);
  });

  test('with an option of another command is refused with the commands that take it', () => {
    expect(() => checkOptions('trace', parseCommandLine(['--at', '5']).given)).toThrow(
      "'trace' takes no option '--at': it belongs to flows and events",
    );
  });

  test('may list words of -o in one option or in several', () => {
    const { given } = parseCommandLine(['-o', 'timestamp,id', '-oextended']);
    expect([...listOf('output', given, ['timestamp', 'id', 'extended'])]).toEqual([
      'timestamp',
      'id',
      'extended',
    ]);
    expect(() => listOf('output', given, ['timestamp'])).toThrow("unknown value of --output 'id'");
  });
});

describe('help', () => {
  test.each(COMMANDS.map((c) => c.name))('of %s names every option that it takes, and no other', (name) => {
    const text = commandHelp(COMMANDS.find((c) => c.name === name)!);
    for (const option of OPTIONS) {
      const listed = new RegExp(`^ +(-\\w, )?--${option.name}(?![\\w-])`, 'm').test(text);
      expect(listed, option.name).toBe(takes(name, option));
    }
  });

  test('fits into 80 columns, but for commands in examples', () => {
    for (const text of [generalHelp(COMMANDS), ...COMMANDS.map(commandHelp)]) {
      for (const line of text.split('\n'))
        if (!/^ +\S.*capture\.pcap/.test(line)) expect(line.length, line).toBeLessThanOrEqual(80);
    }
  });
});

describe('the manual', () => {
  const page = readFileSync(new URL('../docs/keepstate.1.md', import.meta.url), 'utf8');

  test('names every option as the table of options has it, and no other', () => {
    const named = [...page.matchAll(/^\*\*(?:-(\w)\*\*, \*\*)?--([a-z-]+)\*\*(?: \*([A-Z=:]+)\*)?$/gm)];
    expect(named.map(([, short, name, value]) => ({ name, short, value }))).toEqual(
      OPTIONS.map(({ name, short, value }) => ({ name, short, value })),
    );
  });

  test('explains every option in the words of the table', () => {
    const flat = page.replace(/\s+/g, ' ');
    for (const option of OPTIONS) expect(flat, option.name).toContain(option.help.replace(/\s+/g, ' '));
  });

  test('names every command and says what its help says, examples included', () => {
    const flat = page.replace(/\s+/g, ' ');
    for (const { name, about, examples } of COMMANDS) {
      expect(page).toContain(`### keepstate ${name}`);
      for (const text of about) expect(flat).toContain(text);
      for (const { command, says } of examples) expect(page).toContain(`${command}   # ${says}`);
    }
  });
});

describe('colour', () => {
  test('is on a terminal only, and not where NO_COLOR is set', () => {
    expect(wantsColour('auto', { isTTY: true, env: {} })).toBe(true);
    expect(wantsColour('auto', { isTTY: false, env: {} })).toBe(false);
    expect(wantsColour('auto', { isTTY: true, env: { NO_COLOR: '1' } })).toBe(false);
    expect(wantsColour('auto', { isTTY: true, env: { NO_COLOR: '' } })).toBe(true);
    expect(wantsColour('auto', { isTTY: true, env: { TERM: 'dumb' } })).toBe(false);
  });

  test('is what --color says, whatever the place', () => {
    expect(wantsColour('always', { isTTY: false, env: { NO_COLOR: '1' } })).toBe(true);
    expect(wantsColour('never', { isTTY: true, env: {} })).toBe(false);
  });
});

test('the version is that of the package', () => {
  const manifest = JSON.parse(readFileSync(new URL('./package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  expect(VERSION).toBe(manifest.version);
});
