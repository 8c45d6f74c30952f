/** What can be wrong with a pattern, and with a text for it. */

/** The pattern is none; the message is what regerror(3), or PCRE2, says. */
export class PatternFault extends Error {}

/** Looking for it takes more steps than anybody waits for. */
export class PatternLimit extends Error {
  constructor() {
    super("memory exhausted");
  }
}
