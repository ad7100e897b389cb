package scheduler
const leaderToKill = "X"
func leadUntilKilled(url string) int { return 0 }
