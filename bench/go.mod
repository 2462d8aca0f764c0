module understudy.dev/bench

go 1.25
