// biome-ignore-all lint/suspicious/noTemplateCurlyInString: a shell has these, too
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { XtWorld } from '../iptables/world.ts';
import { Xtables } from '../iptables/xtables.ts';
import { NFPROTO_IPV4, NFPROTO_IPV6 } from '../rules/family.ts';
import { runScript } from './script.ts';

function run(text: string): { v4: string[]; errors: unknown } {
  const world = new XtWorld();
  const v4 = new Xtables(NFPROTO_IPV4, { world });
  const { errors } = runScript({ name: 's', text }, { v4, v6: new Xtables(NFPROTO_IPV6, { world }) });
  return { v4: v4.save().match(/^-A.*|^:.* - .*/gm) ?? [], errors };
}

describe('a hostile shell script', () => {
  test('is read or refused, whatever it is made of', () => {
    const pieces = fc.constantFrom(
      ...[
        '"',
        "'",
        '`',
        '$(',
        '((',
        '))',
        '${',
        '$((',
        '}',
        '{a,b}',
        '[[',
        ']]',
        '[',
        ']',
        '(',
        ')',
        '|',
        '&&',
        ';',
      ],
      ...[
        '\n',
        ' ',
        '<<E\n',
        'E\n',
        '<(',
        '<<<',
        '>f',
        '<f',
        '2>&1',
        'x=(',
        'x=1',
        '$x',
        '${x%%*}',
        '${x[@]}',
        '$@',
      ],
      ...[
        'if',
        'then',
        'else',
        'fi',
        'for x in',
        'do',
        'done',
        'case x in',
        ';;',
        'esac',
        'f()',
        'read x',
        'echo',
      ],
      ...[
        'iptables -N c',
        'iptables-restore',
        'local x',
        'set -e',
        'eval',
        'trap',
        'shift',
        '\\',
        '#',
        '!',
        '*',
        'é',
      ],
    );
    const text = fc.array(pieces, { maxLength: 25 }).map((all) => all.join(' '));
    fc.assert(fc.property(text, (script) => Array.isArray(run(script).errors)));
  });

  test('comes to an end, whatever is in it', () => {
    for (const text of [
      `${'$('.repeat(50_000)}`,
      `A=${'${A:-'.repeat(50_000)}`,
      `echo ${'{a,'.repeat(5000)}`,
      `iptables -N $((${'('.repeat(500)}1${')'.repeat(500)}))`,
      'f() { echo $(f); }\niptables -N $(f)',
      `x=${'a'.repeat(100_000)}\niptables -N \${x//a*b/c}`,
      'iptables -N $(printf %1000000000s)',
      `iptables -N ${'`'.repeat(50_001)}`,
      '[[ a ; iptables -F',
      '[[ a =~ b; iptables -F ]]',
      'while :; do cat f f > g; mv g f; echo a >> f; cat f >> f; done',
      `a=${'a'.repeat(900)}; [[ $a =~ (a+)+b ]] && iptables -F`,
    ])
      expect(run(text).v4).toEqual([]);
  });

  test.each(['{1..100000000}', '{1..200}{1..200}', '{1,'.repeat(60) + '}'.repeat(60)])(
    'whose braces stand for too many words says so: %s',
    (braces) => {
      const { v4, errors } = run(
        `for i in ${braces}; do\niptables -A INPUT -j DROP\ndone\niptables -N after\n`,
      );
      expect(errors).toMatchObject([
        { message: expect.stringContaining('s:1:10: braces are followed up to') },
      ]);
      expect(v4).not.toContain('-A INPUT -j DROP');
    },
  );
});
