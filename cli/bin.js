#!/usr/bin/env node
// The languages of rulesets are half of the program and a third of the time to start, and what calls the kernel comes on
// top: only for whom it concerns.
const words = process.argv.slice(2);
const rules = words.includes('check') || words.some((word) => word.startsWith('--rules'));
const bundle = words.includes('run') ? 'keepstate-run' : rules ? 'keepstate-rules' : 'keepstate';
await import(`./dist/${bundle}.js`);
