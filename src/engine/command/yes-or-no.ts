/** What stands for yes and no in the options of systemd's tools. In the real stack: parse_boolean(3) of systemd. Left out: nothing. */
export function yesOrNo(text: string): boolean | undefined {
  if (/^(1|yes|y|true|t|on)$/i.test(text)) return true;
  return /^(0|no|n|false|f|off)$/i.test(text) ? false : undefined;
}
