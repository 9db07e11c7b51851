# Completes isthmus in bash, from 3.2 on.

# Sets `names` to the verbs below verb $1; fails if there are none.
__isthmus_below() {
  case $1 in
    # @verbs
    *) return 1 ;;
  esac
}

# Sets `names` to the options of verb $1.
__isthmus_options() {
  case $1 in
    # @options
  esac
}

# Sets what may stand as the value of option $2 of verb $1; fails if the option takes no value.
__isthmus_value() {
  offered='' files='' many=''
  case "$1 $2" in
    # @values
    *) return 1 ;;
  esac
}

# Sets what may stand as an argument of verb $1.
__isthmus_argument() {
  offered='' files=''
  case $1 in
    # @arguments
  esac
}

# Adds the words of list $1 that begin with $2 to the candidates, behind $3.
__isthmus_add_words() {
  local word
  for word in $1; do
    if [[ $word == "$2"* ]]; then COMPREPLY+=("$3$word"); fi
  done
}

# Adds the folders whose names begin with $2, and the files that also have an ending of list $1; all files if none has.
__isthmus_add_files() {
  local name ending before=${#COMPREPLY[@]}
  type compopt >/dev/null 2>&1 && compopt -o filenames 2>/dev/null
  while IFS= read -r name; do
    if [[ -d ${name/#\~/$HOME} ]]; then COMPREPLY+=("$3$name"); continue; fi
    for ending in $1; do
      if [[ $ending == any || ($ending == .* && $name == *"$ending") ]]; then COMPREPLY+=("$3$name"); fi
    done
  done < <(compgen -f -- "$2")
  if [[ ${#COMPREPLY[@]} == "$before" && $1 == .* ]]; then __isthmus_add_files any "$2" "$3"; fi
}

# Adds what is offered for a value of which $1 is typed, behind $2.
__isthmus_add_value() {
  local stem=${1%%:*}:
  if [[ $1 == *:* && " $offered " == *" $stem "* ]]; then
    __isthmus_add_files any "${1#*:}" "$2$stem"
    return
  fi
  __isthmus_add_words "$offered" "$1" "$2"
  if [[ -n $files ]]; then __isthmus_add_files "$files" "$1" "$2"; fi
}

_isthmus() {
  local IFS=$' \t\n'
  # Bash splits words at some of : = @, too: what has no blank between is one word.
  local line=${COMP_LINE:0:COMP_POINT} words=() i piece blank
  for ((i = 0; i <= COMP_CWORD; i++)); do
    piece=${COMP_WORDS[i]}
    blank=${line%%[![:space:]]*}
    line=${line#"$blank"}
    if ((i == COMP_CWORD)); then piece=$line; fi
    line=${line#"$piece"}
    if [[ $i == 0 || -n $blank ]]; then words+=("$piece"); else words[${#words[@]} - 1]+=$piece; fi
  done

  local last=$((${#words[@]} - 1)) verb='' option='' word names='' offered='' files='' many=''
  local current=${words[last]}
  for ((i = 1; i < last; i++)); do
    word=${words[i]}
    if [[ -n $option && $word != --* ]]; then
      if [[ -z $many ]]; then option=''; fi
    elif [[ $word == -* ]]; then
      option=''
      if [[ $word != *=* ]] && __isthmus_value "$verb" "$word"; then option=$word; fi
    elif __isthmus_below "$verb" && [[ " $names " == *" $word "* ]]; then
      verb=${verb:+$verb }$word
    fi
  done

  COMPREPLY=()
  offered='' files=''
  if [[ $current == --*=* ]]; then
    if __isthmus_value "$verb" "${current%%=*}"; then
      __isthmus_add_value "${current#*=}" "${current%%=*}="
    fi
  elif [[ -n $option && $current != --* ]]; then
    __isthmus_value "$verb" "$option"
    __isthmus_add_value "$current" ''
  elif [[ $current != -* ]] && __isthmus_below "$verb"; then
    __isthmus_add_words "$names" "$current" ''
  elif [[ $current != -* ]] && __isthmus_argument "$verb" && [[ -n $offered$files ]]; then
    __isthmus_add_value "$current" ''
  else
    __isthmus_options "$verb"
    __isthmus_add_words "$names" "$current" ''
  fi

  if [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *[:/] ]]; then
    type compopt >/dev/null 2>&1 && compopt -o nospace 2>/dev/null
  fi
  # What replaces the text behind the last character at which bash splits words begins there, too.
  local typed=$current
  while [[ -n $typed && $COMP_WORDBREAKS != *"${typed: -1}"* ]]; do typed=${typed%?}; done
  for i in "${!COMPREPLY[@]}"; do COMPREPLY[i]=${COMPREPLY[i]#"$typed"}; done
}

complete -F _isthmus isthmus
