# Completes isthmus in fish.

# Prints the verb of what is typed so far, such as `queue status`; nothing before there is one.
function __isthmus_verb
    set -l verb
    set -l skips 0
    for word in (commandline -opc)[2..]
        if test $skips = 1
            set skips 0
        else if test "$word" = --use
            set skips 1
        else if not string match -q -- '-*' $word
            set -a verb $word
            if not contains -- "$verb" $__isthmus_grouping
                break
            end
        end
    end
    echo "$verb"
end

# Checks whether what is typed so far has the verb.
function __isthmus_at
    test (__isthmus_verb) = "$argv[1]"
end

# Prints folders, and the files of the endings after the first argument, which is how the line's last word begins without a path.
function __isthmus_files
    set -l before $argv[1]
    set -l typed (commandline -ct | string replace -r -- '^--?[^=]*=' '')
    set typed (string replace -- $before '' $typed)
    for name in (complete -C "'' $typed" | string replace -r '\t.*' '')
        if string match -q -- '*/' $name
            echo $before$name
            continue
        end
        for ending in $argv[2..]
            if test $ending = any; or string match -q -- "*$ending" $name
                echo $before$name
            end
        end
    end
end

# Prints the files after the start of a value, such as `csv:`, if one of these starts is typed.
function __isthmus_after
    set -l typed (commandline -ct | string replace -r -- '^--?[^=]*=' '')
    for start in $argv
        if string match -q -- "$start*" $typed
            __isthmus_files $start any
        end
    end
end

# @grouping
complete -c isthmus -f
# @verbs
