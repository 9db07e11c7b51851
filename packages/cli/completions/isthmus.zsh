#compdef isthmus
# Completes isthmus in zsh.

# Offers the words before "--" that begin with what is typed, then folders, and files of the endings after it.
_isthmus_offer() {
  local -a whole starts endings
  local word
  while (( $# )) && [[ $1 != -- ]]; do
    if [[ $1 == *[:/] ]]; then starts+=("$1"); else whole+=("$1"); fi
    shift
  done
  for word in $starts; do
    if [[ $word == *: ]] && compset -P "$word"; then _files; return; fi
  done
  local ret=1
  if (( $#whole )); then compadd -a whole && ret=0; fi
  if (( $#starts )); then compadd -S '' -a starts && ret=0; fi
  if (( $# )); then
    shift
    endings=("$@")
    if (( ! $#endings )); then _files -/ && ret=0
    elif [[ $endings[1] == any ]]; then _files && ret=0
    else _files -g "*(${(j:|:)endings})" && ret=0
    fi
  fi
  return ret
}

# @offers

# @verbs

if [[ $funcstack[1] == _isthmus ]]; then _isthmus "$@"; else compdef _isthmus isthmus; fi
