/** Names of the shell's own programs, apart from their code so that `type` and completion need not load it. */
export const programNames: readonly string[] =
  "arch basename cat chgrp chmod chown clear cmp cp cut date diff dirname egrep env false fgrep find getent grep head hostname id less ln ls mkdir mktemp more mv nice nohup nproc od printenv ping pwd readlink realpath rm rmdir seq sleep stat stdbuf sync tail tee test time timeout touch tr true truncate tty uname uniq uptime watch wc which whoami xargs xxd yes".split(
    " ",
  );
