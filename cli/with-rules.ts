/** What of the command line needs the languages of rulesets. Loaded only where there are rules: half of the program. */
export { check } from './check-run.ts';
export { RuleFiles } from './rule-files.ts';
