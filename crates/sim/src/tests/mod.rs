//! Facts about the cluster: they hold whatever fails, for as many seeds as there is time for.

mod sim_test;
