/**
 * The script for each shell. Each asks the hidden command `__complete` on every Tab, so none has to
 * be printed again for another version; a failing `__complete` means names of files.
 */
export const SCRIPTS = {
  // Runs in bash 3.2, the one of macOS, which counts COMP_POINT in bytes and has no compopt.
  bash: `# Completes agno-chat in bash. In ~/.bashrc: eval "$(agno-chat completion bash)"
_agno_chat() {
  COMPREPLY=()
  local found word
  if ((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] < 403)); then local LC_ALL=C; fi
  found=$(agno-chat __complete bash "\${COMP_LINE:0:COMP_POINT}" 2>/dev/null </dev/null) || return 0
  type compopt >/dev/null 2>&1 && compopt +o default
  while IFS= read -r word; do
    if [ -n "$word" ]; then COMPREPLY+=("$2\${word:1}"); fi
  done <<<"$found"
}
complete -o default -F _agno_chat agno-chat
`,
  zsh: `#compdef agno-chat
# Completes agno-chat in zsh. In ~/.zshrc, below compinit: eval "$(agno-chat completion zsh)"
_agno_chat() {
  local found
  local -a candidates
  found=$(agno-chat __complete zsh "\${(@Q)words[2,CURRENT-1]}" "\${(Q)PREFIX}" 2>/dev/null </dev/null)
  if (($?)); then
    _files
    return
  fi
  candidates=("\${(@f)found}")
  [[ -n $found ]] && _describe agno-chat candidates
}
if [[ \${funcstack[1]} == _agno-chat ]]; then _agno_chat "$@"; else compdef _agno_chat agno-chat; fi
`,
  fish: `# Completes agno-chat in fish. In ~/.config/fish/config.fish: agno-chat completion fish | source
function __agno_chat_complete
    set -l line (commandline -cp)
    agno-chat __complete fish "$line" 2>/dev/null </dev/null
    or __fish_complete_path (commandline -ct)
end
complete -c agno-chat -f -a '(__agno_chat_complete)'
`,
} as const;
