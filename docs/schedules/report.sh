#!/bin/sh
# A report for cron, which mails whatever a job prints: so this prints only what you have to know.
# Usage: report.sh FOLDER [options of copilot-analytics report]
set -u
umask 077
cd "$1" || exit 2
shift

copilot-analytics report "$@" --quiet >report.log 2>&1 </dev/null
code=$?

failed=0
[ "$code" = 0 ] || failed=$(($(cat failed-runs 2>/dev/null || echo 0) + 1))
echo "$failed" >failed-runs

case $code in
  0) ;;
  # Missing days, archive in use, rate limit, network, kernel: only if it does not heal by itself.
  3 | 11 | 14 | 15 | 20)
    if [ "$failed" -ge 3 ]; then
      echo "copilot-analytics ended with $code, for the ${failed}th time in a row:"
      cat report.log
    fi
    ;;
  *)
    echo "copilot-analytics ended with $code:"
    cat report.log
    ;;
esac
exit "$code"
