#!/usr/bin/env node
// The languages of rulesets are half of the program and a third of the time to start: only for whom it concerns.
const words = process.argv.slice(2);
const rules = words.includes('check') || words.some((word) => word.startsWith('--rules'));
await import(rules ? './dist/keepstate-rules.js' : './dist/keepstate.js');
