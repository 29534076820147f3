"""保障维护 (七（二）：科监处负责网上预约登记系统的保障维护): the daily digest, and the rehearsal on a copy of the data."""
