package e2e_test

import (
	"os/exec"
	"syscall"
)

// dieWithUs makes the kernel end a process when the test binary is killed.
func dieWithUs(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
