//! Tests of what a run costs, whoever sends what. They are a program of their own: the kernel counts the memory of the
//! process that starts a child as the child's, so a program that measures memory has to be small itself.

mod hostile;
mod lint;
mod measured;
