import type { Plugin } from 'rolldown';

/** A line that declares a field of a class and gives it no value. */
const EMPTY_FIELD = /^\t\w[\w$]*;$/;

/**
 * A rolldown plugin. Every top-level function and class of a bundle becomes a `const`. V8 puts what a constant holds in
 * line without asking; what a declaration (or `var`) holds could be another function by now, so it asks at each call: a
 * twentieth of the time of a new connection's packets. Functions go to the top of the bundle, where hoisting would have
 * put them: tables are filled with them long before their own lines.
 *
 * Fields of classes that the constructor fills are not declared: V8 would set them to `undefined` first, and take them for
 * fields that hold now this, now that, whose kind it has to ask for at each use: a twentieth of a packet's time.
 */
export const constants: Plugin = {
  name: 'constants',
  renderChunk(code) {
    const functions: string[] = [];
    const rest: string[] = [];
    let inFunction = false;
    let inClass = false;
    for (const line of code.split('\n')) {
      const start = /^function (\w[\w$]*)\(/.exec(line);
      if (start !== null) {
        // Whole on one line, or to the brace at the start of a line.
        inFunction = !line.endsWith('}');
        const tail = line.slice(start[0].length);
        functions.push(`const ${start[1]} = function(${tail}${inFunction ? '' : ';'}`);
      } else if (inFunction) {
        inFunction = line !== '}';
        functions.push(inFunction ? line : '};');
      } else if (!inClass || !EMPTY_FIELD.test(line)) {
        rest.push(line.replace(/^var (\w[\w$]* = class\b)/, 'const $1'));
        inClass = inClass ? !line.startsWith('}') : /^(var \w[\w$]* = )?class\b.*\{$/.test(line);
      }
    }
    return [...functions, ...rest].join('\n');
  },
};
